// The log of a job's attempt: lines of JSON from an offset on, so that what is added can be followed.
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
}

const FOLLOW_MS = 1_500;

export function logUrl(jobId: number, attempt: number): string {
    return `/api/firth/v1/jobs/${jobId}/attempts/${attempt}/log?format=text`;
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

export function useLog(jobId: number, attempt: number, running: boolean, shown: boolean) {
    const client = useQueryClient();
    const queryKey = ["log", jobId, attempt];
    return useQuery({
        queryKey,
        queryFn: async ({ signal }): Promise<Log> => {
            const before = client.getQueryData<Log>(queryKey) ?? { lines: [], next: 0 };
            const answer = await firth.raw(`jobs/${jobId}/attempts/${attempt}/log?from=${before.next}`, signal);
            const next = Number(answer.headers.get("Firth-Next-Offset") ?? before.next);
            const added = linesOf(await answer.text());
            return added.length ? { lines: [...before.lines, ...added], next } : { ...before, next };
        },
        enabled: shown,
        staleTime: 0,
        refetchInterval: running ? FOLLOW_MS : false,
    });
}
