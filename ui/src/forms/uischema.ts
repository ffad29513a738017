// What a spec says beyond JSON Schema (order, secrets, long text), as rjsf wants to hear it.
import type { RJSFSchema, StrictRJSFSchema, UiSchema } from "@rjsf/utils";

export type ConfigData = Record<string, unknown>;
type Ui = UiSchema<ConfigData, RJSFSchema>;

export type SpecSchema = StrictRJSFSchema & {
    order?: number;
    airbyte_secret?: boolean;
    secret?: boolean;
    multiline?: boolean;
    airbyte_hidden?: boolean;
    /** Of the object: which groups there are, in this order. */
    groups?: { id: string; title?: string }[];
    /** Of a property: the group that it belongs to. */
    group?: string;
    properties?: Record<string, SpecSchema>;
    /** Ours, in what schemaFor gives: a branch that was picked; that it is the one that a form begins with. */
    picked?: boolean;
    begun?: boolean;
};

function isObject(value: unknown): value is SpecSchema {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The names of an object's properties: by their order, then what is required, then as they come. */
function orderOf(schema: SpecSchema): string[] {
    const required = new Set(schema.required ?? []);
    const rank = (name: string): number => schema.properties?.[name]?.order ?? (required.has(name) ? 1000 : 2000);
    return Object.keys(schema.properties ?? {}).sort((a, b) => rank(a) - rank(b));
}

/** The properties that belong together, by their names; those of no group first. */
export interface Section {
    id: string;
    title?: string;
    names: string[];
}

export function sectionsOf(schema: SpecSchema, names: string[]): Section[] {
    const groups: { id: string; title?: string }[] = Array.isArray(schema.groups) ? schema.groups : [];
    const groupOf = (name: string) => groups.find((group) => group.id === schema.properties?.[name]?.group)?.id ?? "";
    return [{ id: "", title: undefined }, ...groups]
        .map(({ id, title }) => ({ id, title, names: names.filter((name) => groupOf(name) === id) }))
        .filter((section) => section.names.length > 0);
}

function widgetOf(schema: SpecSchema): string | undefined {
    if (schema.airbyte_hidden || schema.const !== undefined) return "hidden";
    const secret = schema.airbyte_secret === true || schema.secret === true;
    if (schema.type === "string" && schema.multiline) return secret ? "SecretTextWidget" : "LongTextWidget";
    if (schema.type === "string" && secret && !schema.enum) return "password";
    if (!schema.enum && [schema.type].flat().some((type) => type === "integer" || type === "number")) return "NumberWidget";
    return undefined;
}

/** May it be any JSON, as no fields are said for it? */
export function isFree(schema: SpecSchema): boolean {
    if (schema.airbyte_hidden || schema.const !== undefined || schema.enum || schema.oneOf || schema.anyOf || schema.allOf || schema.$ref) return false;
    if (schema.type === undefined) return !schema.properties && !schema.items;
    const types = [schema.type].flat();
    if (types.includes("array")) return schema.items === undefined;
    return types.includes("object") && Object.keys(schema.properties ?? {}).length === 0 && schema.additionalProperties !== false;
}

function partUiOf(schema: SpecSchema): Ui {
    return isFree(schema) ? { "ui:field": "JsonField" } : uiSchemaOf(schema);
}

export function uiSchemaOf(schema: SpecSchema): Ui {
    const ui: Ui = {};
    if (isChoice(schema)) return { "ui:field": "ChoiceField" };
    const widget = widgetOf(schema);
    if (widget) ui["ui:widget"] = widget;
    if (schema.examples && Array.isArray(schema.examples) && schema.examples.length > 0)
        ui["ui:placeholder"] = `for example ${schema.examples.slice(0, 2).map(String).join(" or ")}`;
    for (const [name, property] of Object.entries(schema.properties ?? {})) if (isObject(property)) ui[name] = partUiOf(property);
    if (schema.properties) ui["ui:order"] = [...orderOf(schema), "*"];
    // ArrayTemplate says which item it is.
    if (isObject(schema.items)) ui.items = { ...partUiOf(schema.items), "ui:title": "", "ui:isItem": true };
    return ui;
}

/** The branches of a choice among objects, each told apart by its constants. */
export function branchesOf(schema: SpecSchema): SpecSchema[] {
    const branches = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter(isObject);
    return branches.map((branch, index) => ({
        ...branch,
        type: "object",
        title: branch.title || Object.values(constantsOf(branch)).map(String).join(", ") || `Number ${index + 1}`,
        // What all have stands beside them.
        ...(schema.properties && { properties: { ...schema.properties, ...branch.properties } }),
    }));
}

export function constantsOf(branch: SpecSchema): ConfigData {
    const properties: Record<string, SpecSchema> = branch.properties ?? {};
    return Object.fromEntries(
        Object.entries(properties)
            .map(([name, property]) => [name, property.const ?? (property.enum?.length === 1 ? property.enum[0] : undefined)] as const)
            .filter(([, value]) => value !== undefined),
    );
}

/** Without the other constants, a constant that need not be there says nothing. */
function hasConstants(branch: SpecSchema, data: ConfigData): boolean {
    return Object.entries(constantsOf(branch)).every(
        ([name, constant]) => data[name] === constant || (data[name] === undefined && !branch.required?.includes(name)),
    );
}

function saysAConstant(branch: SpecSchema, data: ConfigData): boolean {
    return Object.keys(constantsOf(branch)).some((name) => data[name] !== undefined);
}

/** Which branch a choice begins with that has to be made. */
export function firstOf(schema: SpecSchema, branches: SpecSchema[]): number {
    return Math.max(0, branchOf(branches, schema.default));
}

/** Which branch a stored value is of: by its constants; -1 if it is none. */
export function branchOf(branches: SpecSchema[], value: unknown): number {
    if (!isObject(value)) return -1;
    const data = value as ConfigData;
    const found = branches.findIndex((branch) => saysAConstant(branch, data) && hasConstants(branch, data));
    if (found >= 0) return found;
    // Without constants: one whose needed members are there, and of these the one that knows the most of what is there.
    let best = -1;
    let most = -1;
    for (const [index, branch] of branches.entries()) {
        if (!hasConstants(branch, data) || !(branch.required ?? []).every((name: string) => data[name] !== undefined)) continue;
        const known = Object.keys(data).filter((name) => data[name] !== undefined && branch.properties?.[name]).length;
        if (known === 0 && Object.keys(constantsOf(branch)).length > 0) continue;
        if (known > most) [best, most] = [index, known];
    }
    return best;
}

/** The branches that people picked, by the id of the choice's field. A value that is still being typed does not tell its
 * branch: where no constant says which it is, its members may be missing. */
export type Picked = ReadonlyMap<string, number>;

/** Which branch a value is of that was picked to be of one; -1 if it is none. */
export function chosenOf(branches: SpecSchema[], value: unknown, picked: number | undefined): number {
    const data = isObject(value) ? (value as ConfigData) : {};
    if (picked === -1 && Object.values(data).every((member) => member === undefined)) return -1;
    const branch = picked === undefined ? undefined : branches[picked];
    return branch && hasConstants(branch, data) ? picked! : branchOf(branches, value);
}

export function isChoice(schema: SpecSchema): boolean {
    const branches = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
    return branches.length > 0 && branches.every((branch) => isObject(branch) && (branch.type === "object" || branch.properties !== undefined));
}

function partSchemaOf(schema: SpecSchema): RJSFSchema {
    if (!isFree(schema)) return formSchemaOf(schema);
    return { title: schema.title, description: schema.description, group: schema.group, default: schema.default } as RJSFSchema;
}

/** The schema as rjsf is to see it. Choices are drawn by a field of our own, which rjsf is not to fill with its first branch:
 * "not given" is a choice too. */
export function formSchemaOf(schema: SpecSchema): RJSFSchema {
    if (isChoice(schema)) return { title: schema.title, description: schema.description, group: schema.group, choice: schema } as RJSFSchema;
    const own: SpecSchema = { ...schema };
    delete own.$schema;
    delete own.$id;
    if (own.properties)
        own.properties = Object.fromEntries(
            Object.entries(own.properties).map(([name, property]) => [name, isObject(property) ? partSchemaOf(property) : property]),
        ) as Record<string, SpecSchema>;
    if (isObject(own.items)) own.items = partSchemaOf(own.items);
    return own as RJSFSchema;
}

/** The schema that this value is checked by: of each choice the branch that was chosen. `id` is that of the value's field. */
export function schemaFor(schema: SpecSchema, value: unknown, picked: Picked, id = "root"): SpecSchema {
    let own: SpecSchema = schema;
    if (isChoice(schema)) {
        const branches = branchesOf(schema);
        const index = chosenOf(branches, value, picked.get(id));
        const chosen = branches[index];
        if (!chosen) return { type: "object" };
        const begun = index === firstOf(schema, branches);
        own = { ...chosen, picked: true, begun, default: (begun && schema.default) || chosen.default, required: [...(schema.required ?? []), ...(chosen.required ?? [])] };
    }
    const data = isObject(value) ? (value as ConfigData) : {};
    if (own.properties)
        own = {
            ...own,
            properties: Object.fromEntries(
                Object.entries(own.properties).map(([name, property]) => [
                    name,
                    isObject(property) ? schemaFor(property, data[name], picked, `${id}_${name}`) : property,
                ]),
            ),
        };
    // Each item has chosen for itself.
    const items = own.items;
    if (isObject(items) && Array.isArray(value))
        own = { ...own, items: value.map((item, index) => schemaFor(items, item, picked, `${id}_${index}`)) };
    return own;
}
