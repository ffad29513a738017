// A connection's jobs: what runs, what ran, how it ended.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { config, firth, isGone } from "./client";
import { useEvents } from "./events";
import { beginSync } from "./connections";
import type { ChangesPreference, ConnectionStatus, JobStatus, NamespaceDefinition, ScheduleData, ScheduleType } from "./connections";
import type { Catalog } from "./streams";

export interface Connection {
    connectionId: string;
    /** Another one: somebody has changed it. */
    revision: number;
    name: string;
    status: ConnectionStatus;
    statusReason?: string;
    sourceId: string;
    destinationId: string;
    source: { name: string; sourceName: string };
    destination: { name: string; destinationName: string };
    scheduleType?: ScheduleType;
    scheduleData?: ScheduleData;
    syncCatalog: Catalog;
    catalogId?: string;
    isSyncing: boolean;
    schemaChange: "no_change" | "non_breaking" | "breaking";
    namespaceDefinition: NamespaceDefinition;
    namespaceFormat?: string;
    prefix?: string;
    nonBreakingChangesPreference: ChangesPreference;
}

export interface Stats {
    recordsEmitted?: number;
    bytesEmitted?: number;
    recordsCommitted?: number;
    bytesCommitted?: number;
    estimatedRecords?: number;
    estimatedBytes?: number;
}

export interface StreamStats {
    streamName: string;
    streamNamespace?: string;
    stats: Stats;
}

export interface Failure {
    failureOrigin?: "source" | "destination" | "replication" | "persistence" | string;
    failureType?: "config_error" | "system_error" | "transient_error" | "manual_cancellation" | "refresh_schema" | string;
    externalMessage?: string;
    internalMessage?: string;
}

export interface Attempt {
    id: number;
    status: "running" | "failed" | "succeeded";
    createdAt: number;
    updatedAt: number;
    endedAt?: number;
    totalStats?: Stats;
    streamStats?: StreamStats[];
    failureSummary?: { failures: Failure[]; partialSuccess?: boolean };
}

export type JobKind = "sync" | "reset_connection" | "clear" | "refresh";

/** A job as the history has it. Times in seconds. */
export interface Job {
    id: number;
    configType: JobKind;
    status: JobStatus;
    createdAt: number;
    startedAt?: number;
    endedAt?: number;
    durationMs?: number;
    attempts: number;
    scheduled: boolean;
    recordsEmitted: number;
    bytesEmitted: number;
    recordsCommitted: number;
    bytesCommitted: number;
}

export interface JobDetails {
    job: { id: number; status: JobStatus };
    attempts: Attempt[];
}

export const ENDED = new Set<JobStatus>(["failed", "succeeded", "cancelled"]);

export function hasEnded(job: { status: JobStatus }): boolean {
    return ENDED.has(job.status);
}

export function useConnection(id: string, asked: boolean) {
    const interval = useEvents(`connection:${id}`, 5_000);
    return useQuery({
        queryKey: ["connection", id],
        queryFn: ({ signal }) => config<Connection>("web_backend/connections/get", { connectionId: id }, signal),
        enabled: asked,
        refetchInterval: (query) => (isGone(query.state.error) ? false : interval),
    });
}

export interface History {
    jobs: Job[];
    total: number;
    nextRunAt?: number;
}

const JOBS_SHOWN = 500;

/** The newest jobs; asked for every second while one is under way and nothing tells of it. */
export function useHistory(connectionId: string, asked: boolean) {
    const interval = useEvents(`connection:${connectionId}`, 0);
    return useQuery({
        queryKey: ["history", connectionId],
        queryFn: ({ signal }) => firth.get<History>(`connections/${connectionId}/history?limit=${JOBS_SHOWN}`, signal),
        enabled: asked,
        refetchInterval: (query) => interval || (query.state.data?.jobs.some((job) => !hasEnded(job)) ? 1_000 : 5_000),
    });
}

/** One job's attempts, with what each stream moved. */
export function useJob(job: Job | undefined, connectionId: string) {
    const interval = useEvents(`connection:${connectionId}`, 1_000);
    return useQuery({
        queryKey: ["job", job?.id],
        queryFn: async ({ signal }) => {
            const answer = await config<{ job: JobDetails["job"]; attempts: { attempt: Attempt }[] }>("jobs/get_without_logs", { id: job!.id }, signal);
            return { job: answer.job, attempts: answer.attempts.map(({ attempt }) => attempt) } as JobDetails;
        },
        enabled: job !== undefined,
        // What is over stays as it is.
        staleTime: job && hasEnded(job) ? Number.POSITIVE_INFINITY : 0,
        refetchInterval: (query) => (query.state.data && hasEnded(query.state.data.job) ? false : interval),
    });
}

export const SYNC = "connections/sync";

/** An act upon a connection or its job, after which both are looked at again. */
export function useAct(connectionId: string) {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (act: { path: string; body: object }) => (act.path === SYNC ? beginSync(connectionId) : config(act.path, act.body)),
        onMutate: async (act) => {
            if (act.path !== "connections/delete") return;
            await client.cancelQueries({ queryKey: ["history", connectionId] });
            await client.cancelQueries({ queryKey: ["connection", connectionId] });
        },
        onSettled: async (_answer, error, act) => {
            // What is deleted is not asked for again.
            if (!error && act.path === "connections/delete") return client.invalidateQueries({ queryKey: ["connections"] });
            await client.invalidateQueries({ queryKey: ["history", connectionId] });
            await client.invalidateQueries({ queryKey: ["connection", connectionId] });
            await client.invalidateQueries({ queryKey: ["connections"] });
        },
    });
}

