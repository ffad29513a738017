// Captures, collections and materializations: what `firth status` and `firth read` tell.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { firth } from "./client";
import { useAskedAgain, useEvents } from "./events";
import { parseExactly } from "./exact";
import { useStanding } from "./standing";

export type TaskKind = "capture" | "materialization" | "connection";

/** Where its pages are. Connections of the API have their own. */
export const TASK_PATHS: Record<TaskKind, string> = { capture: "/captures", materialization: "/materializations", connection: "/deployed" };

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

/** A binding: by the catalog, or one that has moved something. Null: that is not known. */
export interface TaskStream {
    stream: string;
    target?: string | null;
    /** Of a materialization: the collection. */
    source?: string;
    /** The catalog has it; undefined where nothing says so. */
    bound?: boolean;
    enabled?: boolean;
    documents: number | null;
    bytes: number | null;
    invalid?: number | null;
    behind?: number | null;
}

export interface TaskStatus {
    task: string;
    kind?: TaskKind;
    state: string | null;
    enabled?: boolean;
    committed_at: string | null;
    collections: TaskCollection[];
    streams?: TaskStream[];
    failures?: number;
    next_at?: string | null;
    session?: { number: number; outcome: string; started_at: string; ended_at: string | null; documents: number | null; bytes: number | null } | null;
    error?: TaskError | null;
    damage?: TaskError | null;
    live?: Live | null;
    /** Ours, in ms: when it was asked for. What events tell since counts nothing of the collections anew. */
    answeredAt: number;
}

export interface CollectionStatus {
    name: string;
    writers: string[];
    /** Which numbers each writer's documents have. */
    parts: { writer: string; first: number; end: number }[];
    /** Null: of one writer that is not known. */
    documents: number | null;
    bytes: number | null;
    committedAt: string | null;
    damaged: boolean;
    /** The longest of its writers', as far as it is known. */
    lagMs: number | null;
    answeredAt: number;
}

export interface StoredDocument {
    collection: string;
    writer: string;
    number: number;
    document: unknown;
}

/** How much there is of each collection no event tells. */
const COUNTS_MS = 8_000;
/** Where that is looked at. */
export const COUNTS_OFTEN_MS = 2_000;

export function useStatus(often = COUNTS_MS) {
    const interval = Math.min(useEvents("tasks", COUNTS_OFTEN_MS), often);
    const status = useQuery({
        queryKey: ["status"],
        queryFn: async ({ signal }) => {
            const { tasks } = await firth.get<{ tasks: Omit<TaskStatus, "answeredAt">[] }>("status", signal);
            return tasks.map((task): TaskStatus => ({ ...task, answeredAt: Date.now() }));
        },
    });
    useAskedAgain(status.refetch, interval);
    return status;
}

/** Of what is not known nothing can be summed up. */
export function sum(a: number | null, b: number | null): number | null {
    return a === null || b === null ? null : a + b;
}

export function collectionsOf(tasks: TaskStatus[]): CollectionStatus[] {
    const found = new Map<string, CollectionStatus>();
    for (const task of tasks) {
        if (task.kind === "materialization" || task.kind === "connection") continue;
        for (const part of task.collections) {
            const one = found.get(part.collection) ?? { name: part.collection, writers: [], parts: [], documents: 0, bytes: 0, committedAt: null, damaged: false, lagMs: null, answeredAt: task.answeredAt };
            one.writers.push(task.task);
            one.parts.push({ writer: task.task, first: part.first ?? 0, end: part.end ?? 0 });
            one.documents = sum(one.documents, part.documents);
            one.bytes = sum(one.bytes, part.bytes);
            if (task.live?.lag_ms != null) one.lagMs = Math.max(one.lagMs ?? 0, task.live.lag_ms);
            one.damaged ||= part.damage !== null && part.damage !== undefined;
            if (part.committed_at && (!one.committedAt || part.committed_at > one.committedAt)) one.committedAt = part.committed_at;
            found.set(part.collection, one);
        }
    }
    return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

export interface CollectionField {
    field: string;
    pointer: string;
    types: string[];
    required: boolean;
    key: boolean;
    description?: string;
}

export interface CollectionSpec {
    key: string[];
    writeSchema: unknown;
    readSchema: unknown;
    inferred: boolean;
    fields: CollectionField[];
}

/** What the catalog that the task was deployed with declares of the collection. */
export function useCollection(name: string, task: string | undefined) {
    return useQuery({
        queryKey: ["collection", name, task],
        queryFn: ({ signal }) => firth.get<CollectionSpec>(`collections?${new URLSearchParams({ name, task: task! })}`, signal),
        enabled: task !== undefined,
        staleTime: 60_000,
    });
}

/** What a capture's connector finds, and what the capture has of it. */
export interface DiscoveredStream {
    stream: string;
    key: string[];
    target?: string;
    bound: boolean;
    enabled: boolean;
    found: boolean;
}

/** Asked only when somebody wants it: the connector is started for it. */
export function useDiscovery(task: string) {
    return useQuery({
        queryKey: ["discovery", task],
        queryFn: async ({ signal }) => (await firth.ask<{ streams: DiscoveredStream[] }>("discovery", { task }, signal)).streams,
        enabled: false,
        retry: false,
        gcTime: 0,
    });
}

export const DOCUMENTS_PAGE = 50;

/** A key's value as it was typed, for `where`: of a key that is always a text everything is one. */
export function whereOf(field: CollectionField | undefined, pointer: string, typed: string): string {
    const isText = field !== undefined && field.types.includes("string") && field.types.every((type) => type === "string" || type === "null");
    return `${pointer}=${isText ? JSON.stringify(typed) : typed.trim()}`;
}

/** `wheres`: only those that have these values, "/id=7". */
export function useDocuments(collection: string, writer: string | undefined, from: number, wheres: string[]) {
    return useQuery({
        queryKey: ["documents", collection, writer, from, wheres],
        placeholderData: keepPreviousData,
        queryFn: async ({ signal }) => {
            const query = new URLSearchParams({ collection, from: String(from), limit: String(DOCUMENTS_PAGE) });
            if (writer) query.set("task", writer);
            for (const where of wheres) query.append("where", where);
            const answer = await firth.raw(`documents?${query}`, signal);
            return parseExactly(await answer.text(), true) as { documents: StoredDocument[]; notices: { message?: string }[] };
        },
    });
}

const SAMPLES_MAX = 300;
const SAMPLE_MS = 1_000;
/** A task in which nothing moves tells nothing: as the daemon does, silence counts against its rate. */
const SILENCE_MS = 2_000;
const RATE_MS = 10_000;

export interface Samples {
    at: number[];
    rate: (number | null)[];
    lag: (number | null)[];
}

const NO_SAMPLES: Samples = { at: [], rate: [], lag: [] };

function add(before: Samples, at: number, rate: number | null, lag: number | null): Samples {
    return {
        at: [...before.at, Math.round(at / 1000)].slice(-SAMPLES_MAX),
        rate: [...before.rate, rate].slice(-SAMPLES_MAX),
        lag: [...before.lag, lag].slice(-SAMPLES_MAX),
    };
}

/** How fast a collection grew from one answer to the next, since the page was opened. */
export function useGrowth({ documents, lagMs, answeredAt }: CollectionStatus): Samples {
    const [samples, setSamples] = useState<Samples>(NO_SAMPLES);
    const last = useRef({ documents, answeredAt });
    useEffect(() => {
        const before = last.current;
        const since = answeredAt - before.answeredAt;
        if (since < SAMPLE_MS) return;
        last.current = { documents, answeredAt };
        const grew = sum(documents, before.documents === null ? null : -before.documents);
        setSamples((earlier) => add(earlier, answeredAt, grew === null ? null : (Math.max(0, grew) * 1000) / since, lagMs));
    }, [documents, lagMs, answeredAt]);
    return samples;
}

/** What a task's live figures were each second since the page was opened, five minutes at most. Null: it does not run;
 * undefined: how it is is not known. While the daemon is away nothing is. */
export function useSamples(live: Live | null | undefined): Samples {
    const [samples, setSamples] = useState<Samples>(NO_SAMPLES);
    const last = useRef({ live, told: 0 });
    const away = useStanding() === "away";
    useEffect(() => {
        last.current = { live: away ? undefined : live, told: Date.now() };
    }, [live, away]);
    useEffect(() => {
        const take = () => {
            const { live: figures, told } = last.current;
            const now = Date.now();
            const silent = Math.max(0, now - told - SILENCE_MS);
            const measured = figures === null ? 0 : (figures?.documents_per_second ?? null);
            setSamples((before) => add(before, now, measured === null ? null : measured * Math.exp(-silent / RATE_MS), figures?.lag_ms ?? null));
        };
        take();
        const timer = window.setInterval(take, SAMPLE_MS);
        return () => window.clearInterval(timer);
    }, []);
    return samples;
}
