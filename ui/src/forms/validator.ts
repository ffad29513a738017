// What rjsf asks of a validator, over @cfworker/json-schema: that one interprets schemas, where others compile them with
// eval, which the pages' Content-Security-Policy forbids.
import { Validator, type OutputUnit, type Schema, type ValidationResult } from "@cfworker/json-schema";
import {
    toErrorSchema,
    toErrorList,
    type CustomValidator,
    type ErrorSchema,
    type ErrorTransformer,
    type RJSFSchema,
    type RJSFValidationError,
    type UiSchema,
    type ValidationData,
    type ValidatorType,
} from "@rjsf/utils";
import { withDoubles } from "../api/exact";
import { withoutUntouched } from "./untouched";
import { schemaFor, type Picked, type SpecSchema } from "./uischema";

type Data = Record<string, unknown>;

// Keywords that only say that something below them is wrong; what that is has an error of its own.
const CONTAINERS = new Set(["properties", "items", "allOf", "anyOf", "oneOf", "if", "then", "else", "$ref", "additionalProperties", "dependencies"]);

function pathOf(location: string): string[] {
    return location
        .replace(/^#\/?/, "")
        .split("/")
        .filter((part) => part !== "")
        .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"));
}

function at(schema: unknown, location: string): unknown {
    return pathOf(location).reduce<unknown>((value, part) => (value as Data | undefined)?.[part], schema);
}

/** What is typed as JSON has it: a field that was emptied is a member that is not there; an item of a list is null. A member
 * may be called "constructor": what every object has of that name was not typed, though rjsf finds it. */
function asJson(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => asJson(item) ?? null);
    if (typeof value !== "object" || value === null) return value;
    const members: Data = Object.create(null) as Data;
    for (const [name, member] of Object.entries(value)) if (member !== undefined && typeof member !== "function") members[name] = asJson(member);
    return members;
}

const TYPE_WORDS: Record<string, string> = {
    integer: "a whole number",
    number: "a number",
    string: "text",
    boolean: "yes or no",
    array: "a list",
    object: "a group of fields",
};

/** The words for people: what is wanted, not which keyword failed. */
function say(error: OutputUnit, schema: unknown, data: unknown): string {
    const wanted = at(schema, error.keywordLocation);
    const parent = at(schema, error.keywordLocation.replace(/\/[^/]*$/, "")) as Data | undefined;
    switch (error.keyword) {
        case "required":
            return "This is needed.";
        case "type":
            if (at(data, error.instanceLocation) === null) return "This is needed.";
            return `This has to be ${[wanted].flat().map((type) => TYPE_WORDS[String(type)] ?? String(type)).join(" or ")}.`;
        case "pattern":
            return `This has to look like ${String(parent?.pattern_descriptor ?? wanted)}.`;
        case "minimum":
            return `The least is ${String(wanted)}.`;
        case "maximum":
            return `The most is ${String(wanted)}.`;
        case "minLength":
            return wanted === 1 ? "This is needed." : `At least ${String(wanted)} characters are needed.`;
        case "maxLength":
            return `At most ${String(wanted)} characters are possible.`;
        case "minItems":
            return wanted === 1 ? "At least one is needed." : `At least ${String(wanted)} are needed.`;
        case "maxItems":
            return `At most ${String(wanted)} are possible.`;
        case "enum":
            return `This has to be one of ${(wanted as unknown[]).map(String).join(", ")}.`;
        case "false":
            return "The connector does not know this: it has to go.";
        case "format":
            return `This is no ${String(wanted)}.`;
        default:
            return error.error;
    }
}

function errorOf(error: OutputUnit, schema: unknown, data: unknown): RJSFValidationError {
    const path = pathOf(error.instanceLocation);
    const missing = error.keyword === "required" ? /"([^"]+)"/.exec(error.error)?.[1] : undefined;
    if (missing) path.push(missing);
    const message = say(error, schema, data);
    return { name: error.keyword, property: path.map((part) => `.${part}`).join(""), message, stack: message };
}

function errorsOf(schema: RJSFSchema, data: unknown): RJSFValidationError[] {
    const typed = asJson(withDoubles(data ?? {}));
    let result: ValidationResult;
    try {
        result = new Validator(schema as Schema, "7", false).validate(typed);
    } catch {
        // What cannot be checked here the daemon checks.
        return [];
    }
    const errors = result.errors.filter((error) => !CONTAINERS.has(error.keyword));
    // To the validator a member that is wrong is also one that `additionalProperties: false` does not know.
    const known = ({ keyword, instanceLocation }: OutputUnit) =>
        keyword === "false" &&
        errors.some((other) => other.keyword !== "false" && `${other.instanceLocation}/`.startsWith(`${instanceLocation}/`));
    return errors.filter((error) => !known(error)).map((error) => errorOf(error, schema, typed));
}

class InterpretingValidator implements ValidatorType<Data, RJSFSchema> {
    /** rjsf draws a schema of its own (uischema.ts); what is typed is checked by the spec. */
    constructor(
        private readonly spec: SpecSchema,
        private readonly picked: Picked,
        private readonly before: Data,
    ) {}

    validateFormData(
        formData: Data | undefined,
        _schema: RJSFSchema,
        _customValidate?: CustomValidator<Data, RJSFSchema>,
        transformErrors?: ErrorTransformer<Data, RJSFSchema>,
        uiSchema?: UiSchema<Data, RJSFSchema>,
    ): ValidationData<Data> {
        const schema = schemaFor(this.spec, formData ?? {}, this.picked);
        let errors = errorsOf(schema as RJSFSchema, withoutUntouched(schema, formData ?? {}, this.before));
        if (transformErrors) errors = transformErrors(errors, uiSchema);
        return { errors, errorSchema: toErrorSchema<Data>(errors) };
    }

    toErrorList(errorSchema?: ErrorSchema<Data>, fieldPath?: string[]): RJSFValidationError[] {
        return toErrorList(errorSchema, fieldPath);
    }

    isValid(schema: RJSFSchema, formData: Data | undefined, rootSchema: RJSFSchema): boolean {
        const whole = (schema.definitions ? schema : { ...schema, definitions: rootSchema.definitions }) as Schema;
        try {
            return new Validator(whole, "7", true).validate(asJson(withDoubles(formData))).valid;
        } catch {
            return false;
        }
    }

    rawValidation<Result>(schema: RJSFSchema, formData?: Data): { errors?: Result[]; validationError?: Error } {
        return { errors: errorsOf(schema, formData) as unknown as Result[] };
    }
}

/** `before`: as it is kept. */
export function validatorOf(spec: SpecSchema, picked: Picked, before: Data): ValidatorType<Data, RJSFSchema> {
    return new InterpretingValidator(spec, picked, before);
}
