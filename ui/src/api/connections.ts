// Connections, as Airbyte's config API has them.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, config, firth } from "./client";
import { useAskedAgain, useEvents } from "./events";
import type { Catalog } from "./streams";

export type JobStatus = "pending" | "running" | "incomplete" | "failed" | "succeeded" | "cancelled";
export type ConnectionStatus = "active" | "inactive" | "deprecated" | "locked";

export interface ActorSnippet {
    id: string;
    name: string;
    connector: string;
}

export interface ScheduleData {
    basicSchedule?: { timeUnit: string; units: number };
    cron?: { cronExpression: string; cronTimeZone: string };
}

export type ScheduleType = "manual" | "basic" | "cron";
export type NamespaceDefinition = "source" | "destination" | "customformat";
export type ChangesPreference = "ignore" | "disable" | "propagate_columns" | "propagate_fully";

export interface ConnectionItem {
    connectionId: string;
    name: string;
    status: ConnectionStatus;
    statusReason?: string;
    scheduleType?: ScheduleType;
    scheduleData?: ScheduleData;
    source: ActorSnippet;
    destination: ActorSnippet;
    /** Seconds. */
    latestSyncJobCreatedAt?: number;
    latestSyncJobStatus?: JobStatus;
    isSyncing: boolean;
    schemaChange: "no_change" | "breaking";
    /** Seconds; when its schedule lets it run. */
    nextRunAt?: number;
}

const LIST = ["connections"];

export function useConnections() {
    const interval = useEvents("jobs", 5_000);
    const connections = useQuery({
        queryKey: LIST,
        queryFn: async ({ signal }) => (await firth.get<{ connections: ConnectionItem[] }>("connections", signal)).connections,
    });
    useAskedAgain(connections.refetch, interval);
    return connections;
}

/** Change a connection and see it changed at once; what the daemon refuses is put back. */
export function useEnable() {
    const client = useQueryClient();
    return useMutation({
        mutationFn: ({ id, enabled }: { id: string; enabled: boolean }) =>
            config("connections/update", { connectionId: id, status: enabled ? "active" : "inactive" }),
        onMutate: ({ id, enabled }) => {
            const before = client.getQueryData<ConnectionItem[]>(LIST);
            client.setQueryData<ConnectionItem[]>(LIST, (items) =>
                items?.map((item) => (item.connectionId === id ? { ...item, status: enabled ? "active" : "inactive" } : item)),
            );
            return before;
        },
        onError: (_error, _variables, before) => client.setQueryData(LIST, before),
        onSettled: () => client.invalidateQueries({ queryKey: LIST }),
    });
}

const CONFLICT = 409;

/** Who wants one to run has it where one runs already: another tab was faster, or its schedule. */
export async function beginSync(connectionId: string): Promise<void> {
    try {
        await config("connections/sync", { connectionId });
    } catch (error) {
        if (!(error instanceof ApiError) || error.status !== CONFLICT) throw error;
        const { isSyncing } = await config<{ isSyncing: boolean }>("web_backend/connections/get", { connectionId });
        if (!isSyncing) throw error;
    }
}

export function useSync() {
    const client = useQueryClient();
    return useMutation({
        mutationFn: beginSync,
        onSettled: () => client.invalidateQueries({ queryKey: LIST }),
    });
}

export interface NewConnection {
    name: string;
    sourceId: string;
    destinationId: string;
    status: ConnectionStatus;
    scheduleType: ScheduleType;
    scheduleData?: ScheduleData;
    namespaceDefinition: NamespaceDefinition;
    namespaceFormat: string;
    prefix: string;
    nonBreakingChangesPreference: ChangesPreference;
    sourceCatalogId?: string;
    syncCatalog: Catalog;
}

export function useCreateConnection() {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (made: NewConnection) => config<{ connectionId: string }>("connections/create", made),
        onSuccess: () => client.invalidateQueries({ queryKey: LIST }),
    });
}
