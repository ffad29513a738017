// A connector's face: a picture of its kind, or its initials, on a colour of its own. The icons of others are not ours to ship.
import type { Definition } from "../api/actors";

const WORDS = /[A-Z]?[a-z0-9]+|[A-Z]+/g;

// The first that matches the name.
const KINDS: [RegExp, string][] = [
    [/sample|faker/i, "M12 3v4m0 10v4M3 12h4m10 0h4M6 6l2.5 2.5m7 7L18 18M18 6l-2.5 2.5m-7 7L6 18"],
    [/sheet|airtable|excel/i, "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14"],
    [/s3|gcs|bucket|blob|storage/i, "M4 6h16l-2 14H6zM4 6c0-3 16-3 16 0"],
    [/sql|duckdb|oracle|mongo|snowflake|bigquery|redshift|database/i, "M5 6c0-4 14-4 14 0v12c0 4-14 4-14 0zM5 6c0 4 14 4 14 0M5 12c0 4 14 4 14 0"],
    [/file|json|csv|sftp|parquet/i, "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"],
    [/kafka|pulsar|queue|pubsub/i, "M4 7h10M4 12h16M4 17h10M14 4l4 3-4 3M14 14l4 3-4 3"],
    [/manifest|declarative|low-code/i, "M8 4c-4 0 0 8-4 8 4 0 0 8 4 8M16 4c4 0 0 8 4 8-4 0 0 8-4 8"],
];

function initials(name: string): string {
    const words = name.match(WORDS) ?? [name];
    return (words.length > 1 ? `${words[0]![0]}${words[1]![0]}` : name.slice(0, 2)).toUpperCase();
}

function hue(name: string): number {
    let sum = 7;
    for (const char of name) sum = (sum * 31 + char.charCodeAt(0)) % 360;
    return sum;
}

export function ConnectorMark({ name }: { name: string }) {
    const picture = KINDS.find(([kind]) => kind.test(name))?.[1];
    return (
        <span className="connector-mark" style={{ "--hue": hue(name) } as React.CSSProperties} aria-hidden="true">
            {picture ? (
                <svg viewBox="0 0 24 24">
                    <path d={picture} />
                </svg>
            ) : (
                initials(name)
            )}
        </span>
    );
}

/** What it is: in words where they are known, else what runs it. */
export function whatItIs({ summary, custom, repository, tag }: Definition): string {
    if (summary) return `${summary[0]!.toUpperCase()}${summary.slice(1)}`;
    return `${custom ? "Custom" : "Built in"}, ${repository}:${tag}`;
}
