// Captures, collections and materializations: what `firth status` and `firth read` tell.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { firth } from "./client";
import { useEvents } from "./events";
import { parseExactly } from "./exact";

export type TaskKind = "capture" | "materialization";

export interface TaskError {
    code: string;
    message: string;
    at?: string;
}

export interface TaskCollection {
    collection: string;
    documents: number | null;
    first: number | null;
    end: number | null;
    bytes: number | null;
    committed_at: string | null;
    damage: TaskError | null;
}

export interface Live {
    documents: number;
    bytes: number;
    documents_per_second: number | null;
    bytes_per_second: number | null;
    lag_ms: number | null;
}

export interface TaskStatus {
    task: string;
    kind?: TaskKind;
    state: string | null;
    enabled?: boolean;
    committed_at: string | null;
    collections: TaskCollection[];
    streams?: { stream: string; target?: string | null; documents: number; bytes: number; invalid?: number }[];
    failures?: number;
    next_at?: string | null;
    session?: { number: number; outcome: string; started_at: string; ended_at: string | null; documents: number; bytes: number } | null;
    error?: TaskError | null;
    damage?: TaskError | null;
    live?: Live | null;
}

export interface CollectionStatus {
    name: string;
    writers: string[];
    documents: number;
    bytes: number;
    committedAt: string | null;
    damaged: boolean;
}

export interface StoredDocument {
    collection: string;
    writer: string;
    number: number;
    document: unknown;
}

export function useStatus() {
    const interval = useEvents("tasks", 2_000);
    return useQuery({
        queryKey: ["status"],
        queryFn: async ({ signal }) => (await firth.get<{ tasks: TaskStatus[] }>("status", signal)).tasks,
        refetchInterval: interval,
    });
}

export function collectionsOf(tasks: TaskStatus[]): CollectionStatus[] {
    const found = new Map<string, CollectionStatus>();
    for (const task of tasks) {
        if (task.kind === "materialization") continue;
        for (const part of task.collections) {
            const one = found.get(part.collection) ?? { name: part.collection, writers: [], documents: 0, bytes: 0, committedAt: null, damaged: false };
            one.writers.push(task.task);
            one.documents += part.documents ?? 0;
            one.bytes += part.bytes ?? 0;
            one.damaged ||= part.damage !== null && part.damage !== undefined;
            if (part.committed_at && (!one.committedAt || part.committed_at > one.committedAt)) one.committedAt = part.committed_at;
            found.set(part.collection, one);
        }
    }
    return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

export const DOCUMENTS_PAGE = 50;

export function useDocuments(collection: string, writer: string | undefined, from: number) {
    return useQuery({
        queryKey: ["documents", collection, writer, from],
        queryFn: async ({ signal }) => {
            const query = new URLSearchParams({ collection, from: String(from), limit: String(DOCUMENTS_PAGE) });
            if (writer) query.set("task", writer);
            const answer = await firth.raw(`documents?${query}`, signal);
            return parseExactly(await answer.text()) as { documents: StoredDocument[]; notices: { message?: string }[] };
        },
    });
}

const SAMPLES_MAX = 150;

export interface Samples {
    at: number[];
    rate: number[];
    lag: (number | null)[];
}

/** What a task's live figures were since the page was opened, five minutes at most. */
export function useSamples(live: Live | null | undefined, updatedAt: number): Samples {
    const [samples, setSamples] = useState<Samples>({ at: [], rate: [], lag: [] });
    const last = useRef(0);
    useEffect(() => {
        if (updatedAt === last.current) return;
        last.current = updatedAt;
        setSamples((before) => ({
            at: [...before.at, updatedAt / 1000].slice(-SAMPLES_MAX),
            rate: [...before.rate, live?.documents_per_second ?? 0].slice(-SAMPLES_MAX),
            lag: [...before.lag, live?.lag_ms ?? null].slice(-SAMPLES_MAX),
        }));
    }, [live, updatedAt]);
    return samples;
}
