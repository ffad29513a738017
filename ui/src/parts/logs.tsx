// Its last words are what one looks for.
function toItsEnd(element: HTMLElement | null) {
    element?.scrollTo(0, element.scrollHeight);
}

/** What a connector said, for whoever wants to know more than its message. */
export function LogLines({ lines, title = "What the connector said", open = false }: { lines: string[]; title?: string; open?: boolean }) {
    if (lines.length === 0) return null;
    return (
        <details className="log-lines" open={open}>
            <summary>
                {title} ({lines.length} {lines.length === 1 ? "line" : "lines"})
            </summary>
            <pre tabIndex={0} ref={toItsEnd}>{lines.join("\n")}</pre>
        </details>
    );
}
