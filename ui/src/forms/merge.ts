// What was typed, onto what somebody else has kept meanwhile.
import type { ConfigData } from "./uischema";

/** A source or a destination, as it is kept. */
export interface Kept {
    name: string;
    config: ConfigData;
}

/** As text, whatever order its members have. */
function textOf(value: unknown): string {
    return JSON.stringify(value, (_key, member: unknown) =>
        typeof member === "object" && member !== null && !Array.isArray(member)
            ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
            : member,
    );
}

export function isSame(a: unknown, b: unknown): boolean {
    return a === b || textOf(a) === textOf(b);
}

/** `mine` and `theirs` were both made from `before`. `both`: the members that are neither's alone, as `ours` says. */
export function merged(before: ConfigData, mine: ConfigData, theirs: ConfigData, ours = true): { config: ConfigData; both: string[] } {
    const config: ConfigData = {};
    const both: string[] = [];
    for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
        const isMine = !isSame(mine[name], before[name]);
        const conflict = isMine && !isSame(theirs[name], before[name]) && !isSame(mine[name], theirs[name]);
        if (conflict) both.push(name);
        const value = isMine && (ours || !conflict) ? mine[name] : theirs[name];
        if (value !== undefined) config[name] = value;
    }
    return { config, both };
}
