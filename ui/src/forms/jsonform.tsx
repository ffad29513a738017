// Where no form can be made of a spec: the whole configuration as JSON. Nobody is kept from a connector by what its spec has.
import { Component, useState, type ReactNode } from "react";
import { Notice } from "../parts/basics";
import { parseExactly, writeExactly } from "../api/exact";
import type { ConfigData } from "./uischema";

interface GuardProps {
    fallback: (error: Error) => ReactNode;
    children: ReactNode;
}

export class FormGuard extends Component<GuardProps, { error: Error | null }> {
    override state: { error: Error | null } = { error: null };

    static getDerivedStateFromError(error: Error) {
        return { error };
    }

    override render() {
        return this.state.error ? this.props.fallback(this.state.error) : this.props.children;
    }
}

interface Props {
    id: string;
    error: Error;
    value: ConfigData;
    onChange: (value: ConfigData, sent: ConfigData) => void;
    onSubmit: (value: ConfigData) => void;
    children: ReactNode;
}

function parsed(text: string): ConfigData | string {
    try {
        const value = parseExactly(text);
        return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as ConfigData) : "This has to be an object: {…}.";
    } catch (error) {
        return `This is no JSON yet: ${(error as Error).message}`;
    }
}

export function JsonForm({ id, error, value, onChange, onSubmit, children }: Props) {
    const [text, setText] = useState(() => writeExactly(value, 2));
    const config = parsed(text);
    return (
        <form
            id={id}
            className="fields"
            onSubmit={(event) => {
                event.preventDefault();
                if (typeof config === "object") onSubmit(config);
            }}
        >
            <Notice kind="warning" title="No form can be made of what this connector says it needs">
                Its configuration is typed as JSON; the connector's test tells what is missing. ({error.message})
            </Notice>
            <div className="field">
                <label htmlFor={`${id}-json`}>Configuration</label>
                <textarea
                    id={`${id}-json`}
                    rows={12}
                    value={text}
                    spellCheck={false}
                    autoComplete="off"
                    aria-describedby={`${id}-problem`}
                    aria-invalid={typeof config === "string" || undefined}
                    onChange={(event) => {
                        setText(event.target.value);
                        const next = parsed(event.target.value);
                        if (typeof next === "object") onChange(next, next);
                    }}
                />
                <p className="problem" id={`${id}-problem`} role="status">
                    {typeof config === "string" && config}
                </p>
            </div>
            {children}
        </form>
    );
}
