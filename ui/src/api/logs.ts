// The log of a job's attempt, or of a deployed task: lines of JSON from an offset on, so that what is added can be followed.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { firth } from "./client";

export interface LogLine {
    ts: string;
    level: "error" | "warn" | "info" | "debug" | "trace";
    message: string;
    origin?: string;
}

export interface Log {
    lines: LogLine[];
    next: number;
    /** Nothing more came after the end. */
    whole: boolean;
}

const FOLLOW_MS = 1_500;

/** Where a log is had from, below Firth's own API. */
export function attemptLog(jobId: number, attempt: number): string {
    return `jobs/${jobId}/attempts/${attempt}/log?`;
}

export function taskLog(task: string): string {
    return `log?${new URLSearchParams({ task })}&`;
}

export function logUrl(path: string): string {
    return `/api/firth/v1/${path}format=text`;
}

function linesOf(text: string): LogLine[] {
    return text.split("\n").flatMap((line) => {
        try {
            return line ? [JSON.parse(line) as LogLine] : [];
        } catch {
            return [];
        }
    });
}

export function useLog(path: string, running: boolean, shown: boolean) {
    const client = useQueryClient();
    const queryKey = ["log", path];
    return useQuery({
        queryKey,
        queryFn: async ({ signal }): Promise<Log> => {
            const before = client.getQueryData<Log>(queryKey) ?? { lines: [], next: 0, whole: false };
            const answer = await firth.raw(`${path}from=${before.next}`, signal);
            const next = Number(answer.headers.get("Firth-Next-Offset") ?? before.next);
            const added = linesOf(await answer.text());
            const whole = !running && next === before.next;
            return added.length ? { lines: [...before.lines, ...added], next, whole } : { ...before, next, whole };
        },
        enabled: shown,
        staleTime: 0,
        // The last lines come with the end, or shortly after it.
        refetchInterval: (query) => (running || !query.state.data?.whole ? FOLLOW_MS : false),
    });
}
