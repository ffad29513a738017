// What rjsf asks of a validator, over @cfworker/json-schema: that one interprets schemas, where others compile them with
// eval, which the pages' Content-Security-Policy forbids.
import { Validator, type OutputUnit, type Schema } from "@cfworker/json-schema";
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
import { schemaFor, type SpecSchema } from "./uischema";

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

/** The words for people: what is wanted, not which keyword failed. */
function say(error: OutputUnit, schema: unknown): string {
    const wanted = at(schema, error.keywordLocation);
    const parent = at(schema, error.keywordLocation.replace(/\/[^/]*$/, "")) as Data | undefined;
    switch (error.keyword) {
        case "required":
            return "This is needed.";
        case "type":
            return `This has to be ${Array.isArray(wanted) ? wanted.join(" or ") : String(wanted)}.`;
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
        case "format":
            return `This is no ${String(wanted)}.`;
        default:
            return error.error;
    }
}

function errorOf(error: OutputUnit, schema: unknown): RJSFValidationError {
    const path = pathOf(error.instanceLocation);
    const missing = error.keyword === "required" ? /"([^"]+)"/.exec(error.error)?.[1] : undefined;
    if (missing) path.push(missing);
    const message = say(error, schema);
    return { name: error.keyword, property: path.map((part) => `.${part}`).join(""), message, stack: message };
}

function errorsOf(schema: RJSFSchema, data: unknown): RJSFValidationError[] {
    const result = new Validator(schema as Schema, "7", false).validate(data ?? {});
    return result.errors.filter((error) => !CONTAINERS.has(error.keyword)).map((error) => errorOf(error, schema));
}

class InterpretingValidator implements ValidatorType<Data, RJSFSchema> {
    /** rjsf draws a schema of its own (uischema.ts); what is typed is checked by the spec. */
    constructor(private readonly spec: SpecSchema) {}

    validateFormData(
        formData: Data | undefined,
        _schema: RJSFSchema,
        _customValidate?: CustomValidator<Data, RJSFSchema>,
        transformErrors?: ErrorTransformer<Data, RJSFSchema>,
        uiSchema?: UiSchema<Data, RJSFSchema>,
    ): ValidationData<Data> {
        let errors = errorsOf(schemaFor(this.spec, formData ?? {}) as RJSFSchema, formData);
        if (transformErrors) errors = transformErrors(errors, uiSchema);
        return { errors, errorSchema: toErrorSchema<Data>(errors) };
    }

    toErrorList(errorSchema?: ErrorSchema<Data>, fieldPath?: string[]): RJSFValidationError[] {
        return toErrorList(errorSchema, fieldPath);
    }

    isValid(schema: RJSFSchema, formData: Data | undefined, rootSchema: RJSFSchema): boolean {
        const whole = (schema.definitions ? schema : { ...schema, definitions: rootSchema.definitions }) as Schema;
        try {
            return new Validator(whole, "7", true).validate(formData).valid;
        } catch {
            return false;
        }
    }

    rawValidation<Result>(schema: RJSFSchema, formData?: Data): { errors?: Result[]; validationError?: Error } {
        return { errors: errorsOf(schema, formData) as unknown as Result[] };
    }
}

export function validatorOf(spec: SpecSchema): ValidatorType<Data, RJSFSchema> {
    return new InterpretingValidator(spec);
}
