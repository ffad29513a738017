// What may be any JSON: typed as such, and checked while it is.
import type { FieldProps, RJSFSchema } from "@rjsf/utils";
import { useState } from "react";
import { exactText, parseExactly, writeExactly } from "../api/exact";
import { isSame } from "./merge";
import type { ConfigData } from "./uischema";
import { KEPT_SECRET } from "./widgets";

function parsed(text: string): { value: unknown; problem?: string } {
    if (!text.trim()) return { value: undefined };
    try {
        return { value: parseExactly(text) };
    } catch (error) {
        // The spec's check refuses a text where an object is wanted: nothing that is half typed is sent.
        return { value: text, problem: `This is no JSON yet: ${(error as Error).message}` };
    }
}

function textOf(value: unknown): string {
    if (value === undefined) return "";
    return typeof value === "string" && exactText(value) === undefined && parsed(value).problem ? value : writeExactly(value, 2);
}

export function JsonField({ idSchema, name, schema, formData, required, disabled, onChange, onBlur }: FieldProps<ConfigData, RJSFSchema>) {
    const id = idSchema.$id;
    // A field that is called "constructor" and empty is a function to rjsf.
    const held: unknown = typeof formData === "function" ? undefined : formData;
    const kept = held === KEPT_SECRET;
    const [text, setText] = useState(() => (kept ? "" : textOf(held)));
    const { value, problem } = parsed(text);
    // Another value came from elsewhere.
    const shown = kept ? "" : held === undefined || isSame(value, held) ? text : textOf(held);

    return (
        <>
            <label htmlFor={id}>
                {schema.title ?? name}
                {required && <span aria-hidden="true"> *</span>}
            </label>
            <textarea
                id={id}
                className="mono"
                rows={4}
                value={shown}
                placeholder={kept ? "Kept as it is; type to replace it" : '{"name": "value"}'}
                disabled={disabled}
                spellCheck={false}
                autoComplete="off"
                aria-describedby={`${id}__json ${id}__description ${id}__error`}
                aria-invalid={problem !== undefined || undefined}
                onChange={(event) => {
                    setText(event.target.value);
                    onChange(parsed(event.target.value).value as ConfigData | undefined);
                }}
                onBlur={() => onBlur(id, formData)}
            />
            <p className={problem ? "problem" : "help"} id={`${id}__json`} role="status">
                {problem ?? "As JSON."}
            </p>
        </>
    );
}
