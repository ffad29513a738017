// rjsf makes an object of every group of fields, whether anybody has typed into it or not. What nobody needs, nobody picked
// and nobody filled in is not sent: a connector may take {} for something else than nothing. Nor is one that holds only what the
// form put in of itself, where that is not all that the group needs.
import { isSame } from "./merge";
import type { ConfigData, SpecSchema } from "./uischema";

function isObject(value: unknown): value is ConfigData {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Is there only what a form begins with: defaults and constants? `given`: the default that stands further up. */
function isAsBegun(schema: SpecSchema, value: unknown, given: unknown): boolean {
    const only = schema.const ?? (schema.enum?.length === 1 ? schema.enum[0] : undefined);
    if ([only, given, schema.default].some((begun) => begun !== undefined && isSame(value, begun))) return true;
    if (Array.isArray(value)) {
        const items = schema.items;
        return value.every((item, index) => {
            const own = Array.isArray(items) ? items[index] : items;
            return item === undefined || item === null || (isObject(own) && isAsBegun(own as SpecSchema, item, undefined));
        });
    }
    if (!isObject(value)) return value === undefined;
    if (schema.picked && !schema.begun) return false;
    const begun = given ?? schema.default;
    return Object.entries(value).every(([name, member]) => {
        const property = schema.properties?.[name] as SpecSchema | undefined;
        const first = isObject(begun) ? begun[name] : undefined;
        // A branch that need not be there was picked by hand.
        const byHand = property?.picked === true && first === undefined && !schema.required?.includes(name);
        return isObject(property) && !byHand && isAsBegun(property as SpecSchema, member, first);
    });
}

/** Is something missing that is needed, at any depth? */
function lacks(schema: SpecSchema, value: unknown): boolean {
    if (Array.isArray(value)) {
        const items = schema.items;
        const own = (index: number) => (Array.isArray(items) ? items[index] : items);
        return value.length < (schema.minItems ?? 0) || value.some((item, index) => item === undefined || item === null || (isObject(own(index)) && lacks(own(index) as SpecSchema, item)));
    }
    if (!isObject(value)) return false;
    return (
        schema.required?.some((name: string) => value[name] === undefined) === true ||
        Object.entries(value).some(([name, member]) => isObject(schema.properties?.[name]) && lacks(schema.properties[name], member))
    );
}

/** Without groups that are empty, or not begun. `schema`: with the branches that were picked (schemaFor); `before`: as it was kept, what
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
            const untouched = isObject(now) && (Object.keys(now).length === 0 || (isObject(property) && lacks(property, now) && isAsBegun(property, now, property.default)));
            return [name, now, untouched && !needed] as const;
        });
    return Object.fromEntries(kept.filter(([, , untouched]) => !untouched).map(([name, now]) => [name, now]));
}
