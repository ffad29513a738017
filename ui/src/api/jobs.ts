// A connection's jobs: what runs, what ran, how it ended.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { config, firth } from "./client";
import type { ConnectionStatus, JobStatus, ScheduleData, ScheduleType } from "./connections";
import type { Catalog } from "./streams";

export interface Connection {
    connectionId: string;
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
    isSyncing: boolean;
    schemaChange: "no_change" | "non_breaking" | "breaking";
    prefix?: string;
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

export interface Job {
    id: number;
    configType: JobKind;
    status: JobStatus;
    /** Seconds. */
    createdAt: number;
    updatedAt: number;
    startedAt?: number;
    aggregatedStats?: { recordsCommitted: number; bytesCommitted: number; recordsEmitted: number; bytesEmitted: number };
}

export interface JobWithAttempts {
    job: Job;
    attempts: Attempt[];
}

const ENDED = new Set<JobStatus>(["failed", "succeeded", "cancelled"]);

export function hasEnded(job: Job): boolean {
    return ENDED.has(job.status);
}

export function useConnection(id: string, asked: boolean) {
    return useQuery({
        queryKey: ["connection", id],
        queryFn: ({ signal }) => config<Connection>("web_backend/connections/get", { connectionId: id }, signal),
        enabled: asked,
        refetchInterval: 5_000,
    });
}

const JOBS_SHOWN = 50;

/** The newest jobs; asked for every second while one is under way. */
export function useJobs(connectionId: string, asked: boolean) {
    return useQuery({
        queryKey: ["jobs", connectionId],
        queryFn: ({ signal }) =>
            config<{ jobs: JobWithAttempts[]; totalJobCount: number }>(
                "jobs/list",
                {
                    configId: connectionId,
                    configTypes: ["sync", "reset_connection", "refresh", "clear"],
                    pagination: { pageSize: JOBS_SHOWN, rowOffset: 0 },
                },
                signal,
            ),
        enabled: asked,
        refetchInterval: (query) => (query.state.data?.jobs.some(({ job }) => !hasEnded(job)) ? 1_000 : 5_000),
    });
}

/** An act upon a connection or its job, after which both are looked at again. */
export function useAct(connectionId: string) {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (act: { path: string; body: object }) => config(act.path, act.body),
        onMutate: async (act) => {
            if (act.path !== "connections/delete") return;
            await client.cancelQueries({ queryKey: ["jobs", connectionId] });
            await client.cancelQueries({ queryKey: ["connection", connectionId] });
        },
        onSettled: async (_answer, error, act) => {
            // What is deleted is not asked for again.
            if (!error && act.path === "connections/delete") return client.invalidateQueries({ queryKey: ["connections"] });
            await client.invalidateQueries({ queryKey: ["jobs", connectionId] });
            await client.invalidateQueries({ queryKey: ["connection", connectionId] });
            await client.invalidateQueries({ queryKey: ["connections"] });
        },
    });
}

/** The end of an attempt's log, as lines for people. */
export function useAttemptLog(jobId: number, attempt: number, live: boolean, shown: boolean) {
    return useQuery({
        queryKey: ["log", jobId, attempt],
        queryFn: async ({ signal }) => {
            const answer = await firth.raw(`jobs/${jobId}/attempts/${attempt}/log?format=text`, signal);
            return (await answer.text()).split("\n").filter((line) => line !== "");
        },
        enabled: shown,
        refetchInterval: live ? 2_000 : false,
    });
}
