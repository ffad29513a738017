// How single values are typed in.
import { getDefaultRegistry } from "@rjsf/core";
import type { WidgetProps } from "@rjsf/utils";
import { useId, useRef, useState, type ChangeEvent, type ComponentType } from "react";
import { exactNumber, exactText } from "../api/exact";
import { Button } from "../parts/basics";

/** What stands for a secret that is kept: it is sent back as it came, and the daemon keeps what it has. */
export const KEPT_SECRET = "**********";

export function describedBy(props: WidgetProps): string {
    return `${props.id}__description ${props.id}__error ${props.id}__help`;
}

export function changed(props: WidgetProps, value: string): void {
    props.onChange(value === "" ? props.options.emptyValue : value);
}

export function SecretWidget(props: WidgetProps) {
    const [shown, setShown] = useState(false);
    const kept = props.value === KEPT_SECRET;
    return (
        <div className="with-button">
            <input
                id={props.id}
                type={shown && !kept ? "text" : "password"}
                value={kept ? "" : String(props.value ?? "")}
                placeholder={kept ? "Kept as it is; type to replace it" : props.placeholder}
                required={props.required && !kept}
                disabled={props.disabled}
                autoComplete="off"
                spellCheck={false}
                aria-describedby={describedBy(props)}
                aria-invalid={(props.rawErrors?.length ?? 0) > 0 || undefined}
                onChange={(event) => changed(props, event.target.value)}
                onBlur={() => props.onBlur(props.id, props.value)}
            />
            {!kept && (
                <Button aria-pressed={shown} onClick={() => setShown(!shown)}>
                    {shown ? "Hide" : "Show"}
                </Button>
            )}
        </div>
    );
}

/** Long text, and a file's contents: keys and certificates come in files. */
function TextArea({ props, secret }: { props: WidgetProps; secret: boolean }) {
    const file = useRef<HTMLInputElement>(null);
    const fileId = useId();
    const kept = secret && props.value === KEPT_SECRET;

    async function take(event: ChangeEvent<HTMLInputElement>) {
        const chosen = event.target.files?.[0];
        event.target.value = "";
        if (chosen) changed(props, await chosen.text());
    }

    return (
        <div className="long-text">
            <textarea
                id={props.id}
                rows={secret ? 4 : 6}
                value={kept ? "" : String(props.value ?? "")}
                placeholder={kept ? "Kept as it is; type to replace it" : props.placeholder}
                required={props.required && !kept}
                disabled={props.disabled}
                spellCheck={false}
                autoComplete="off"
                aria-describedby={describedBy(props)}
                aria-invalid={(props.rawErrors?.length ?? 0) > 0 || undefined}
                onChange={(event) => changed(props, event.target.value)}
                onBlur={() => props.onBlur(props.id, props.value)}
            />
            <input ref={file} id={fileId} type="file" hidden onChange={(event) => void take(event)} />
            <Button onClick={() => file.current?.click()}>From a file…</Button>
        </div>
    );
}

export function LongTextWidget(props: WidgetProps) {
    return <TextArea props={props} secret={false} />;
}

export function SecretTextWidget(props: WidgetProps) {
    return <TextArea props={props} secret />;
}

/** Of a number that a double does not hold every digit is kept. */
export function NumberWidget(props: WidgetProps) {
    const { schema } = props;

    function change(text: string) {
        const value = exactNumber(text);
        // What is no number yet, and how zeros are written, rjsf knows to deal with.
        changed(props, exactText(value) === undefined ? text : String(value));
    }

    return (
        <input
            id={props.id}
            type="number"
            step={schema.type === "integer" ? 1 : "any"}
            min={schema.minimum}
            max={schema.maximum}
            value={exactText(props.value) ?? String(props.value ?? "")}
            placeholder={props.placeholder}
            required={props.required}
            disabled={props.disabled}
            autoComplete="off"
            aria-describedby={describedBy(props)}
            aria-invalid={(props.rawErrors?.length ?? 0) > 0 || undefined}
            onChange={(event) => change(event.target.value)}
            onBlur={() => props.onBlur(props.id, props.value)}
        />
    );
}

export function SwitchWidget(props: WidgetProps) {
    return (
        <label className="switch" htmlFor={props.id}>
            <input
                id={props.id}
                type="checkbox"
                role="switch"
                checked={props.value === true}
                disabled={props.disabled}
                aria-describedby={describedBy(props)}
                onChange={(event) => props.onChange(event.target.checked)}
            />
            <span className="track" aria-hidden="true" />
            <span>{props.label}</span>
        </label>
    );
}

const Select = getDefaultRegistry().widgets.SelectWidget as ComponentType<WidgetProps>;

/** rjsf asks of which kind a value is (`anyOf`) without saying what it asks. */
export function KindWidget(props: WidgetProps) {
    if (!/__(any|one)of_select$/.test(props.id)) return <Select {...props} />;
    return (
        <label>
            <span>Kind{props.label ? ` of ${props.label}` : ""}</span>
            <Select {...props} />
        </label>
    );
}
