import { writeExactly } from "../api/exact";

/** A document's JSON, folded until somebody wants to see all of it. */
export function Json({ value, summary }: { value: unknown; summary: string }) {
    const line = writeExactly(value);
    return (
        <details className="json">
            <summary>
                <span className="quiet">{summary}</span> <code>{line.length > 160 ? `${line.slice(0, 160)}…` : line}</code>
            </summary>
            <pre tabIndex={0}>{writeExactly(value, 2)}</pre>
        </details>
    );
}
