// Sources and destinations, and the connectors that they are made of. Airbyte's API has each call twice, once for either
// side; here a side is a parameter.
import type { RJSFSchema } from "@rjsf/utils";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSession } from "../app/session";
import { config } from "./client";
import { withDoubles } from "./exact";

export type Side = "source" | "destination";
export type SyncMode = "full_refresh" | "incremental";
export type DestinationSyncMode = "append" | "overwrite" | "append_dedup" | "overwrite_dedup";

export interface Definition {
    id: string;
    name: string;
    repository: string;
    tag: string;
    custom: boolean;
    /** What it is, in some words; of what is built in. */
    summary?: string;
    documentationUrl?: string;
}

export interface Spec {
    connectionSpecification?: RJSFSchema;
    documentationUrl?: string;
    supportedDestinationSyncModes?: DestinationSyncMode[];
    jobInfo: JobInfo;
}

export interface JobInfo {
    succeeded: boolean;
    logs?: { logLines: string[] };
    failureReason?: { externalMessage?: string; internalMessage?: string };
}

export interface Actor {
    id: string;
    definitionId: string;
    name: string;
    definitionName: string;
    config: Record<string, unknown>;
}

export interface Check {
    status?: "succeeded" | "failed";
    message?: string;
    jobInfo: JobInfo;
}

interface RawDefinition {
    sourceDefinitionId?: string;
    destinationDefinitionId?: string;
    name: string;
    dockerRepository: string;
    dockerImageTag: string;
    custom?: boolean;
    summary?: string;
    documentationUrl?: string;
}

interface RawActor {
    sourceId?: string;
    destinationId?: string;
    sourceDefinitionId?: string;
    destinationDefinitionId?: string;
    name: string;
    sourceName?: string;
    destinationName?: string;
    connectionConfiguration: Record<string, unknown>;
}

function definitionOf(raw: RawDefinition): Definition {
    return {
        id: raw.sourceDefinitionId ?? raw.destinationDefinitionId ?? "",
        name: raw.name,
        repository: raw.dockerRepository,
        tag: raw.dockerImageTag,
        custom: raw.custom ?? false,
        summary: raw.summary,
        documentationUrl: raw.documentationUrl,
    };
}

function actorOf(raw: RawActor): Actor {
    return {
        id: raw.sourceId ?? raw.destinationId ?? "",
        definitionId: raw.sourceDefinitionId ?? raw.destinationDefinitionId ?? "",
        name: raw.name,
        definitionName: raw.sourceName ?? raw.destinationName ?? "",
        config: raw.connectionConfiguration,
    };
}

export function useDefinitions(side: Side) {
    const { workspaceId } = useSession();
    return useQuery({
        queryKey: ["definitions", side],
        queryFn: async ({ signal }) => {
            const body = await config<Record<string, RawDefinition[]>>(`${side}_definitions/list_for_workspace`, { workspaceId }, signal);
            return (body[`${side}Definitions`] ?? []).map(definitionOf).sort((a, b) => a.name.localeCompare(b.name));
        },
        staleTime: 60_000,
    });
}

/** What of a spec is a value of the config; the rest is computed with. */
const VALUES: ReadonlySet<string> = new Set(["default"]);

export function useSpec(side: Side, definitionId: string | undefined) {
    const { workspaceId } = useSession();
    return useQuery({
        queryKey: ["spec", side, definitionId],
        queryFn: async ({ signal }) => {
            const spec = await config<Spec>(`${side}_definition_specifications/get`, { workspaceId, [`${side}DefinitionId`]: definitionId }, signal);
            return { ...spec, connectionSpecification: spec.connectionSpecification && (withDoubles(spec.connectionSpecification, VALUES) as RJSFSchema) };
        },
        enabled: definitionId !== undefined,
        staleTime: 300_000,
    });
}

export function useActors(side: Side) {
    const { workspaceId } = useSession();
    return useQuery({
        queryKey: ["actors", side],
        queryFn: async ({ signal }) => {
            const body = await config<Record<string, RawActor[]>>(`${side}s/list`, { workspaceId }, signal);
            return (body[`${side}s`] ?? []).map(actorOf).sort((a, b) => a.name.localeCompare(b.name));
        },
    });
}

export function useActor(side: Side, id: string | undefined) {
    return useQuery({
        queryKey: ["actors", side, id],
        queryFn: async ({ signal }) => actorOf(await config<RawActor>(`${side}s/get`, { [`${side}Id`]: id }, signal)),
        enabled: id !== undefined,
    });
}

/** Ask the connector itself whether a config is right, before anything is kept. */
export function checkConfig(side: Side, definitionId: string, workspaceId: string, connectionConfiguration: object, signal?: AbortSignal) {
    return config<Check>(`scheduler/${side}s/check_connection`, { [`${side}DefinitionId`]: definitionId, workspaceId, connectionConfiguration }, signal);
}

/** The same of one that is there: what its secrets are the daemon knows. */
export function checkUpdate(side: Side, id: string, name: string, connectionConfiguration: object, signal?: AbortSignal) {
    return config<Check>(`${side}s/check_connection_for_update`, { [`${side}Id`]: id, name, connectionConfiguration }, signal);
}

export function useCreateActor(side: Side) {
    const { workspaceId } = useSession();
    const client = useQueryClient();
    return useMutation({
        mutationFn: async (made: { definitionId: string; name: string; config: object }) =>
            actorOf(
                await config<RawActor>(`${side}s/create`, {
                    workspaceId,
                    name: made.name,
                    [`${side}DefinitionId`]: made.definitionId,
                    connectionConfiguration: made.config,
                }),
            ),
        onSuccess: () => client.invalidateQueries({ queryKey: ["actors", side] }),
    });
}

export function useUpdateActor(side: Side) {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (changed: { id: string; name: string; config: object }) =>
            config(`${side}s/update`, { [`${side}Id`]: changed.id, name: changed.name, connectionConfiguration: changed.config }),
        onSuccess: () => client.invalidateQueries({ queryKey: ["actors", side] }),
    });
}

export function useDeleteActor(side: Side) {
    const client = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => config(`${side}s/delete`, { [`${side}Id`]: id }),
        // What is deleted is not asked for again.
        onSuccess: () => client.invalidateQueries({ queryKey: ["actors", side], exact: true }),
    });
}
