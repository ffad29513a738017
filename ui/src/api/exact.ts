// Numbers as they are: one that a double does not hold (past 2^53, or with more digits) is kept as the text that it came as,
// with a mark before it, until it is written again. Nothing that passes through the pages is changed by them.

const MARK = "\u0000number:";
const MARKED = /"\\u0000number:(-?\d[\d.eE+-]*)"/g;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Fewer digits a double holds. */
const MANY_DIGITS = /\d[\d.]{14}\d/;

/** Its digits and where the point is, whatever way it is written. */
function digitsOf(text: string): string {
    const [, sign = "", whole = "", part = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    const all = (whole + part).replace(/^0+/, "");
    const digits = all.replace(/0+$/, "");
    return digits ? `${sign}${digits}e${Number(exponent) - part.length + all.length - digits.length}` : "0";
}

/** Does a double say the same? */
export function holds(text: string): boolean {
    const value = Number(text);
    return Number.isFinite(value) && digitsOf(String(value)) === digitsOf(text);
}

function marked(text: string): string {
    return JSON.stringify(MARK + text);
}

/** `asWritten`: of those that a double holds the spelling is kept too ("1.50"), for showing them. */
export function parseExactly(text: string, asWritten = false): unknown {
    if (!asWritten && !MANY_DIGITS.test(text) && !/[eE][+-]?\d{3}/.test(text)) return JSON.parse(text);
    const keep = asWritten ? (token: string) => String(Number(token)) === token : holds;
    return JSON.parse(text.replace(TOKENS, (token) => (token.startsWith('"') || keep(token) ? token : marked(token))));
}

export function writeExactly(value: unknown, indent?: number): string {
    const text = JSON.stringify(value, null, indent);
    return text?.includes("\\u0000number:") ? text.replace(MARKED, "$1") : text;
}

/** The digits of a number that was kept as a text; undefined: it is something else. */
export function exactText(value: unknown): string | undefined {
    return typeof value === "string" && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;
}

/** What was typed, as it is kept: a number, or its digits; what is no number stays a text. */
export function exactNumber(text: string): number | string {
    if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number.isNaN(Number(text)) ? text : Number(text);
    return holds(text) ? Number(text) : MARK + text;
}

/** With the nearest doubles, for whoever computes; members of the names in `but` stay. */
export function withDoubles(value: unknown, but: ReadonlySet<string> = new Set()): unknown {
    const exact = exactText(value);
    if (exact !== undefined) return Number(exact);
    if (Array.isArray(value)) return value.map((item) => withDoubles(item, but));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, but.has(name) ? member : withDoubles(member, but)]));
}
