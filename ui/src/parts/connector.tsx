// A connector's face: its initials on a colour of its own, since icons of others are not ours to ship.
const WORDS = /[A-Z]?[a-z0-9]+|[A-Z]+/g;

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
    return (
        <span className="connector-mark" style={{ "--hue": hue(name) } as React.CSSProperties} aria-hidden="true">
            {initials(name)}
        </span>
    );
}
