// kafkajs, for test_kafka_clients.py. What it sees, as JSON lines:
//   node kafkajs_client.js produce ADDRESS COUNT TOPIC…        idempotently, ten records a request
//   node kafkajs_client.js share ADDRESS COUNT TOPIC TOPIC     a group that reads COUNT of each; a second member comes, and goes
const { Kafka, logLevel } = require("kafkajs");

const [what, address, count, ...topics] = process.argv.slice(2);
const EACH = 10; // of a request, and of what comes while both members are there
// One for each: two members of a group that have one in common lose each other's offsets in it.
const client = () => new Kafka({
  clientId: "kafkajs", brokers: [address], logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 10, maxRetryTime: 200, retries: 1000 },
});
const tell = (line) => console.log(JSON.stringify(line));

process.exitCode = 1; // with nothing left to do, and not at its end
function fail(error) {
  console.error(error);
  process.exit(1);
}

let changed = () => {};
async function until(condition) {
  while (!condition()) await new Promise((done) => { changed = done; });
}

async function produce(from, to) {
  const producer = client().producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const topic of topics) {
    for (let at = from; at < to; at += EACH) {
      const ids = Array.from({ length: Math.min(EACH, to - at) }, (_, each) => String(at + each));
      const [told] = await producer.send({
        topic, messages: ids.map((id) => ({ key: JSON.stringify({ id }), value: JSON.stringify({ id, topic }), headers: { h: "v" } })) });
      tell({ told: topic, offset: +told.baseOffset, error: told.errorCode });
    }
  }
  await producer.disconnect();
}

async function join(took) {
  const consumer = client().consumer({ groupId: "kafkajs", heartbeatInterval: 100, sessionTimeout: 30000, maxWaitTimeInMs: 50 });
  const member = { holds: [], leave: () => consumer.disconnect() };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.holds = Object.keys(payload.memberAssignment);
    changed();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) fail(payload.error); });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      took.set(`${topic} ${message.offset}`, {
        topic, offset: +message.offset, key: String(message.key), value: JSON.parse(message.value), held: member.holds.includes(topic) });
      changed();
    } });
  return member;
}

async function share() {
  const took = new Map();
  const one = await join(took);
  await until(() => one.holds.length === 2 && took.size === 2 * count);
  const two = await join(took);
  await until(() => one.holds.length === 1 && two.holds.length === 1 && one.holds[0] !== two.holds[0]);
  await produce(+count, +count + EACH);
  await until(() => took.size === 2 * (+count + EACH));
  await two.leave();
  await until(() => one.holds.length === 2);
  await produce(+count + EACH, +count + EACH + 1);
  await until(() => took.size === 2 * (+count + EACH + 1));
  await one.leave();
  took.forEach(tell);
}

(what === "produce" ? produce(0, +count) : share()).then(() => { process.exitCode = 0; }, fail);
