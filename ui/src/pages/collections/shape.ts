// What documents look like: each field, which types it has, and in how many of them it is.
import { exactText } from "../../api/exact";

export interface FieldShape {
    path: string;
    types: string[];
    /** Documents that have it. */
    count: number;
}

const DEPTH_MAX = 6;
const FIELDS_MAX = 500;

function typeOf(value: unknown): string {
    if (value === null) return "null";
    if (Array.isArray(value)) return "array";
    const exact = exactText(value);
    if (exact !== undefined) return /^-?\d+$/.test(exact) ? "integer" : "number";
    if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
    return typeof value;
}

function visit(value: unknown, path: string, depth: number, see: (path: string, type: string) => void) {
    const type = typeOf(value);
    if (path) see(path, type);
    if (depth === DEPTH_MAX) return;
    if (type === "object") for (const [name, member] of Object.entries(value as object)) visit(member, path ? `${path}.${name}` : name, depth + 1, see);
    if (type === "array") for (const item of value as unknown[]) visit(item, `${path}[]`, depth + 1, see);
}

export function shapeOf(documents: unknown[]): FieldShape[] {
    const fields = new Map<string, { types: Set<string>; last: number; count: number }>();
    documents.forEach((document, number) =>
        visit(document, "", 0, (path, type) => {
            const field = fields.get(path) ?? { types: new Set(), last: -1, count: 0 };
            if (!fields.has(path) && fields.size === FIELDS_MAX) return;
            field.types.add(type);
            if (field.last !== number) field.count++;
            field.last = number;
            fields.set(path, field);
        }),
    );
    return [...fields].map(([path, { types, count }]) => ({ path, types: [...types].sort(), count }));
}
