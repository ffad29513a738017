// ajv as bench/validate.c measures Firth: the same passes over the same file, the same line printed.
// Usage: node ajv.js MODULES SCHEMA INSTANCES.jsonl; MODULES is the folder whose node_modules has ajv. The lines are
// JavaScript strings before the clock starts: decoding UTF-8, which the others do as they parse, is a gift to ajv.
'use strict'
const { createRequire } = require('module')
const { readFileSync } = require('fs')
const path = require('path')

const ROUNDS = 7
const [modules, schemaFile, instancesFile] = process.argv.slice(2)
const load = createRequire(path.resolve(modules, 'package.json'))
const wall = () => Number(process.hrtime.bigint())
const cpu = () => { const used = process.cpuUsage(); return 1000 * (used.user + used.system) }

// CPU time, so that other programs on the machine do not count; or less, if V8's threads helped.
function best(passes, pass) {
  let least = Infinity
  for (let i = 0; i < passes; i++) {
    const start = [wall(), cpu()]
    pass()
    least = Math.min(least, wall() - start[0], cpu() - start[1])
  }
  return least
}

function classOf(schema) {
  const draft = schema.$schema || ''
  if (draft.includes('draft-07') || draft.includes('draft-06')) return load('ajv')
  return load(draft.includes('2019-09') ? 'ajv/dist/2019' : 'ajv/dist/2020')
}

const schemaText = readFileSync(schemaFile, 'utf8')
const file = readFileSync(instancesFile)
const lines = file.toString('utf8').split('\n').filter((line) => line)
const documents = lines.map((line) => JSON.parse(line))
const Ajv = classOf(JSON.parse(schemaText)).default

// Once, as a program does that starts: the second time V8 has compiled ajv itself.
let check
const compiled = best(1, () => {
  check = new Ajv({ strict: false, validateFormats: false, logger: false }).compile(JSON.parse(schemaText))
})
let valid = 0
const countValid = () => {
  valid = 0
  for (const document of documents) valid += check(document)
}
const cold = best(1, countValid)
// Warmed: V8 optimises while these run.
for (let i = 0; i < 5; i++) countValid()
const warm = best(ROUNDS, countValid)
let sink = 0
const parsed = best(ROUNDS, () => {
  for (const line of lines) sink += JSON.parse(line) !== null
})
const both = best(ROUNDS, () => {
  for (const line of lines) sink += check(JSON.parse(line))
})
const each = (time) => Math.round(time / lines.length)
console.log(['ajv', lines.length, file.length, compiled, cold, each(warm), each(parsed), each(both), valid].join(','))
process.exitCode = sink > 0 ? 0 : 1
