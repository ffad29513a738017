// rjsf makes an object of every group of fields, whether anybody has typed into it or not. What nobody needs, nobody picked
// and nobody filled in is not sent: a connector may take {} for something else than nothing.
import type { ConfigData, SpecSchema } from "./uischema";

function isObject(value: unknown): value is ConfigData {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without groups that are empty. `schema`: with the branches that were picked (schemaFor); `before`: as it was kept, what
 * stood there empty stays. */
export function withoutUntouched(schema: SpecSchema, value: unknown, before: unknown): unknown {
    if (Array.isArray(value)) {
        const items = schema.items;
        return value.map((item, index) => {
            const own = Array.isArray(items) ? items[index] : items;
            return isObject(own) ? withoutUntouched(own as SpecSchema, item, Array.isArray(before) ? before[index] : undefined) : item;
        });
    }
    if (!isObject(value)) return value;
    const kept = Object.entries(value)
        .filter(([, member]) => member !== undefined && typeof member !== "function")
        .map(([name, member]) => {
            const property = schema.properties?.[name];
            const was = isObject(before) ? before[name] : undefined;
            const now = isObject(property) ? withoutUntouched(property as SpecSchema, member, was) : member;
            const needed = !isObject(property) || property.picked === true || schema.required?.includes(name) || was !== undefined;
            return [name, now, isObject(now) && Object.keys(now).length === 0 && !needed] as const;
        });
    return Object.fromEntries(kept.filter(([, , untouched]) => !untouched).map(([name, now]) => [name, now]));
}
