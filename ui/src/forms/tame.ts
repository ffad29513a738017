// Specs as connectors write them, made into what forms can draw: references are what they refer to, one that never ends is any
// JSON; what is no schema is left to the daemon, and so are patterns that are no expressions of a browser's.
import type { SpecSchema } from "./uischema";

type Loose = Record<string, unknown>;

const TYPES = new Set(["string", "number", "integer", "boolean", "array", "object", "null"]);
const TEXTS = ["title", "description", "format", "pattern_descriptor", "group"];
const NUMBERS = ["order", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
const LISTS = ["required", "enum", "examples", "groups"];
const PARTS = ["items", "additionalItems", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"];
const BRANCHES = ["anyOf", "oneOf"];
const MAPS = ["properties", "patternProperties", "dependencies"];
const DROPPED = ["$ref", "$id", "$schema", "$defs", "definitions"];
/** What a reference may have beside it. */
const BESIDE = ["title", "description", "order", "group", "default", "airbyte_secret", "airbyte_hidden", "examples"];
/** How many parts come of references: more than some a page cannot draw. */
const REFERRED_MAX = 1000;
/** What has parts of its own. */
const COMPOUND = ["$ref", "properties", "items", "oneOf", "anyOf", "allOf"];
/** What rjsf takes for something of its own. */
function isUndrawn(name: string): boolean {
    return name === "__proto__" || name === "*" || name === "__errors" || name.startsWith("ui:");
}

function isObject(value: unknown): value is Loose {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function compiles(pattern: string): boolean {
    try {
        new RegExp(pattern, "u");
        return true;
    } catch {
        return false;
    }
}

/** As a browser takes it: others let signs be escaped that need not be ("\-", "\@"). Undefined: the daemon is to judge. */
export function patternOf(pattern: unknown): string | undefined {
    if (typeof pattern !== "string") return undefined;
    if (compiles(pattern)) return pattern;
    const plain = pattern.replace(/\\([\s\S])/gu, (escaped, sign: string) => (/[-\w^$\\.*+?()[\]{}|/]/.test(sign) && sign !== "_" ? escaped : sign));
    if (compiles(plain)) return plain;
    // "-" is escaped within brackets alone.
    const bare = plain.replace(/\[(?:\\.|[^\]\\])*\]|\\-|\\[\s\S]/g, (part) => (part === "\\-" ? "-" : part));
    return compiles(bare) ? bare : undefined;
}

class Taming {
    private left = REFERRED_MAX;
    /** References that were not followed any more. */
    private readonly cut = new WeakSet<Loose>();
    constructor(private readonly root: unknown) {}

    private target(ref: string): unknown {
        if (!ref.startsWith("#")) return undefined;
        const parts = decodeURIComponent(ref.slice(1)).split("/").slice(1);
        return parts
            .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
            .reduce<unknown>((at, part) => (typeof at === "object" && at !== null && Object.hasOwn(at, part) ? (at as Loose)[part] : undefined), this.root);
    }

    private referred(schema: Loose, within: readonly string[]): Loose {
        const beside = Object.fromEntries(BESIDE.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]]));
        const ref = String(schema.$ref);
        let target: unknown;
        try {
            target = this.target(ref);
        } catch {
            // No address at all.
        }
        if (!isObject(target)) return this.tamed(beside, within);
        // Any JSON from there on.
        const isCut = this.left <= 0 && COMPOUND.some((name) => target[name] !== undefined);
        if (isCut || within.includes(ref)) {
            const free = this.tamed({ type: target.type, title: target.title, description: target.description, ...beside }, within);
            if (isCut) this.cut.add(free);
            return free;
        }
        return this.tamed({ ...target, ...beside }, [...within, ref]);
    }

    /** What all of them say together, as far as fields are drawn by it. */
    private joined(schema: Loose): Loose {
        const { allOf, ...own } = schema;
        const parts = Array.isArray(allOf) ? allOf.filter(isObject) : [];
        return parts.reduce<Loose>(
            (whole, part) => ({
                ...part,
                ...whole,
                properties: isObject(part.properties) ? { ...part.properties, ...(isObject(whole.properties) && whole.properties) } : whole.properties,
                required: [whole.required, part.required].flat().filter((name) => name !== undefined),
            }),
            own,
        );
    }

    private map(parts: Loose, name: string, within: readonly string[]): Loose {
        const named = Object.entries(parts).flatMap(([key, part]): [string, unknown][] => {
            if (isUndrawn(key)) return [];
            if (name === "dependencies" && Array.isArray(part)) return [[key, part]];
            if (name !== "patternProperties") return [[key, this.part(part, within)]];
            const pattern = patternOf(key);
            return pattern === undefined ? [] : [[pattern, this.part(part, within)]];
        });
        return Object.fromEntries(named);
    }

    private parts(schemas: unknown, within: readonly string[]): Loose[] {
        return Array.isArray(schemas) ? schemas.filter(isObject).map((schema) => this.tamed(schema, within)) : [];
    }

    private part(schema: unknown, within: readonly string[]): Loose {
        return isObject(schema) ? this.tamed(schema, within) : {};
    }

    tamed(schema: Loose, within: readonly string[]): Loose {
        if (within.length > 1) this.left--;
        if (schema.$ref !== undefined) return this.referred(schema, within);
        const own = this.joined(schema.allOf === undefined ? schema : { ...schema, allOf: this.parts(schema.allOf, within) });
        for (const name of DROPPED) delete own[name];
        for (const name of TEXTS) if (typeof own[name] !== "string") delete own[name];
        // As it was before there were two numbers for it.
        for (const [flag, bound] of [["exclusiveMinimum", "minimum"], ["exclusiveMaximum", "maximum"]] as const)
            if (own[flag] === true) {
                own[flag] = own[bound];
                delete own[bound];
            }
        for (const name of NUMBERS) if (typeof own[name] !== "number") delete own[name];
        for (const name of LISTS) if (!Array.isArray(own[name])) delete own[name];
        if (own.required) own.required = (own.required as unknown[]).filter((name) => typeof name === "string" && !isUndrawn(name));
        if (own.groups) own.groups = (own.groups as unknown[]).filter((group) => isObject(group) && typeof group.id === "string");
        const types = [own.type].flat().filter((type) => TYPES.has(type as string));
        if (types.length === 0) delete own.type;
        else own.type = Array.isArray(own.type) ? types : types[0];
        const pattern = patternOf(own.pattern);
        if (pattern === undefined) delete own.pattern;
        else if (pattern !== own.pattern) Object.assign(own, { pattern, pattern_descriptor: own.pattern_descriptor ?? own.pattern });
        for (const name of PARTS) {
            if (isObject(own[name])) own[name] = this.tamed(own[name], within);
            else if (name === "items" && Array.isArray(own.items)) own.items = own.items.map((item) => this.part(item, within));
            else if (typeof own[name] !== "boolean" || name === "items") delete own[name];
        }
        for (const name of BRANCHES) {
            const branches = this.parts(own[name], within);
            // A choice among what is not known is any JSON.
            if (branches.some((branch) => this.cut.has(branch)))
                return this.tamed(Object.fromEntries([...BESIDE, "type"].filter((key) => own[key] !== undefined).map((key) => [key, own[key]])), within);
            if (branches.length > 0) own[name] = branches;
            else delete own[name];
        }
        for (const name of MAPS) {
            if (isObject(own[name])) own[name] = this.map(own[name], name, within);
            else delete own[name];
        }
        return own;
    }
}

export function tamed(spec: unknown): SpecSchema {
    return { ...(isObject(spec) && new Taming(spec).tamed(spec, ["#"])), type: "object" } as SpecSchema;
}
