// Documents as they are: a number that a double does not hold is shown digit by digit, where the browser can do that
// (JSON.parse with source text access).

interface ExactJson {
    parse(text: string, reviver: (key: string, value: unknown, context?: { source?: string }) => unknown): unknown;
    rawJSON?: (text: string) => unknown;
}

const exact = JSON as unknown as ExactJson;

export function parseExactly(text: string): unknown {
    return exact.parse(text, (_key, value, context) =>
        typeof value === "number" && context?.source !== undefined && exact.rawJSON && String(value) !== context.source
            ? exact.rawJSON(context.source)
            : value,
    );
}
