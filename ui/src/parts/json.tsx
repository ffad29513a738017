import { writeExactly } from "../api/exact";

/** Marks that turn round what follows them, as JSON may write them too. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function shown(value: unknown, indent?: number): string {
    return writeExactly(value, indent).replace(TURNS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A document's JSON, folded until somebody wants to see all of it. */
export function Json({ value, summary }: { value: unknown; summary: string }) {
    const line = shown(value);
    return (
        <details className="json">
            <summary>
                <span className="quiet">{summary}</span> <code>{line.length > 160 ? `${line.slice(0, 160)}…` : line}</code>
            </summary>
            <pre tabIndex={0}>{shown(value, 2)}</pre>
        </details>
    );
}
