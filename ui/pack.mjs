// pack.mjs OUTPUT DEPFILE FOLDER: check the types, build the pages into FOLDER, write them as a table in C to OUTPUT and
// what they are made of to DEPFILE.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [output, depfile, folder] = process.argv.slice(2).map((path) => resolve(path));
const here = dirname(fileURLToPath(import.meta.url));
const built = join(folder, "dist");

const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
};

// What a gzipped bundle may weigh, all of it: people open it over slow lines as well.
const BUNDLE_MAX = 350 * 1024;
const COMPRESS_FROM = 4096;

function filesBelow(path) {
    return readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort();
}

function run(program, ...args) {
    try {
        execFileSync(process.execPath, [join(here, "node_modules", program), ...args], { cwd: here, stdio: "pipe" });
    } catch (error) {
        process.stderr.write(`${error.stdout ?? ""}${error.stderr ?? ""}`);
        process.exit(1);
    }
}

run("typescript/bin/tsc", "--noEmit");
run("vite/bin/vite.js", "build", "--outDir", built, "--emptyOutDir", "--logLevel", "warn");

let total = 0;
const rows = [];
const arrays = [];
for (const [number, file] of filesBelow(built).entries()) {
    const plain = readFileSync(file);
    const gzip = plain.length >= COMPRESS_FROM;
    const bytes = gzip ? gzipSync(plain, { level: 9 }) : plain;
    const name = `/${relative(built, file)}`;
    const type = TYPES[extname(file)];
    if (!type) throw new Error(`pack.mjs: no content type is known for ${name}: add one to TYPES`);
    const tag = createHash("sha256").update(plain).digest("hex").slice(0, 16);
    total += bytes.length;
    arrays.push(`static const unsigned char file_${number}[] = {${[...bytes].join(",")}};`);
    rows.push(
        `    {"${name === "/index.html" ? "/" : name}", "${type}", "\\"${tag}\\"", file_${number}, sizeof file_${number}, ` +
            `${gzip}, ${name.startsWith("/assets/")}},`,
    );
}
if (total > BUNDLE_MAX) throw new Error(`pack.mjs: the pages weigh ${total} bytes compressed; ${BUNDLE_MAX} are allowed`);

writeFileSync(
    output,
    `/* Made by ui/pack.mjs. */\n#include "server/pages.h"\n\n${arrays.join("\n")}\n\n` +
        `const struct page_file page_files[] = {\n${rows.join("\n")}\n};\n` +
        `const size_t page_file_count = sizeof page_files / sizeof *page_files;\n`,
);
const sources = filesBelow(join(here, "src")).concat(
    ["index.html", "package-lock.json", "tsconfig.json", "vite.config.ts", "pack.mjs"].map((name) => join(here, name)),
);
writeFileSync(depfile, `${output}: ${sources.map((path) => path.replaceAll(" ", "\\ ")).join(" ")}\n`);
