/** What a connector said, for whoever wants to know more than its message. */
export function LogLines({ lines, title = "What the connector said" }: { lines: string[]; title?: string }) {
    if (lines.length === 0) return null;
    return (
        <details className="log-lines">
            <summary>
                {title} ({lines.length} {lines.length === 1 ? "line" : "lines"})
            </summary>
            <pre tabIndex={0}>{lines.join("\n")}</pre>
        </details>
    );
}
