// The streams of a source, and what a connection does with each.
import { useQuery } from "@tanstack/react-query";
import type { DestinationSyncMode, JobInfo, SyncMode } from "./actors";
import { config } from "./client";

export interface Stream {
    name: string;
    namespace?: string;
    jsonSchema?: { properties?: Record<string, unknown> };
    supportedSyncModes?: SyncMode[];
    sourceDefinedCursor?: boolean;
    defaultCursorField?: string[];
    sourceDefinedPrimaryKey?: string[][];
}

export interface StreamConfig {
    syncMode: SyncMode;
    destinationSyncMode: DestinationSyncMode;
    cursorField?: string[];
    primaryKey?: string[][];
    aliasName?: string;
    selected?: boolean;
    suggested?: boolean;
    fieldSelectionEnabled?: boolean;
    selectedFields?: { fieldPath: string[] }[];
}

export interface StreamChoice {
    stream: Stream;
    config: StreamConfig;
}

export interface Catalog {
    streams: StreamChoice[];
}

interface Discovered {
    catalog?: Catalog;
    catalogId?: string;
    jobInfo: JobInfo;
}

export class DiscoverError extends Error {
    readonly logs: string[];
    constructor(message: string, logs: string[]) {
        super(message);
        this.name = "DiscoverError";
        this.logs = logs;
    }
}

export function useDiscover(sourceId: string | undefined) {
    return useQuery({
        queryKey: ["discover", sourceId],
        queryFn: async ({ signal }) => {
            const answer = await config<Discovered>("sources/discover_schema", { sourceId, disable_cache: true }, signal);
            if (!answer.catalog)
                throw new DiscoverError(
                    answer.jobInfo.failureReason?.externalMessage ?? "the source did not tell its streams",
                    answer.jobInfo.logs?.logLines ?? [],
                );
            return { catalog: answer.catalog, catalogId: answer.catalogId };
        },
        enabled: sourceId !== undefined,
        // Whoever comes again is told what there is by then; who stays asks when he wants to know.
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 0,
        retry: false,
    });
}

export function streamId(stream: Stream): string {
    return `${stream.namespace ?? ""}\u0000${stream.name}`;
}

/** How a stream can be moved: pairs that both sides can do, the best first. */
export interface Way {
    syncMode: SyncMode;
    destinationSyncMode: DestinationSyncMode;
    label: string;
    help: string;
}

const WAYS: Way[] = [
    { syncMode: "incremental", destinationSyncMode: "append_dedup", label: "Incremental, one row for each key", help: "Only what is new or changed; the latest version of each row is kept." },
    { syncMode: "full_refresh", destinationSyncMode: "overwrite", label: "Everything, replaced", help: "All rows each time; they replace what was there once all have arrived." },
    { syncMode: "incremental", destinationSyncMode: "append", label: "Incremental, added", help: "Only what is new or changed; every version stays." },
    { syncMode: "full_refresh", destinationSyncMode: "overwrite_dedup", label: "Everything, replaced, one row for each key", help: "All rows each time, without doubles." },
    { syncMode: "full_refresh", destinationSyncMode: "append", label: "Everything, added", help: "All rows each time, behind those of the times before." },
];

export function waysOf(stream: Stream, destination: DestinationSyncMode[]): Way[] {
    const source = stream.supportedSyncModes ?? ["full_refresh"];
    return WAYS.filter((way) => source.includes(way.syncMode) && destination.includes(way.destinationSyncMode));
}

/** What a connection would be refused for, in words; null: nothing. */
export function problemOf({ stream, config: chosen }: StreamChoice): string | null {
    if (!chosen.selected) return null;
    if (chosen.syncMode === "incremental" && !stream.sourceDefinedCursor && !chosen.cursorField?.length)
        return "Choose the field that tells what is new (the cursor).";
    if (chosen.destinationSyncMode.endsWith("dedup") && !stream.sourceDefinedPrimaryKey?.length && !chosen.primaryKey?.length)
        return "Choose the fields that identify a row (the primary key).";
    return null;
}

/** The best way that needs nothing more to be chosen. */
export function suggested(stream: Stream, given: StreamConfig, destination: DestinationSyncMode[]): StreamConfig {
    const ways = waysOf(stream, destination);
    const ready = ways.find(
        (way) =>
            problemOf({ stream, config: { ...given, ...modesOf(way), cursorField: given.cursorField ?? stream.defaultCursorField, selected: true } }) === null,
    );
    const way = ready ?? ways[0];
    return way
        ? { ...given, ...modesOf(way), cursorField: given.cursorField?.length ? given.cursorField : stream.defaultCursorField, primaryKey: given.primaryKey?.length ? given.primaryKey : stream.sourceDefinedPrimaryKey }
        : given;
}

/** Taken or left out. How it is moved stays as it is, unless nothing can be done as it is: other modes may delete rows. */
export function withSelected(choice: StreamChoice, selected: boolean, destination: DestinationSyncMode[]): StreamChoice {
    const { stream, config: given } = choice;
    if (!selected || given.selected) return { stream, config: { ...given, selected } };
    const possible = waysOf(stream, destination).some((way) => isWay(given, way));
    const ready = possible && problemOf({ stream, config: { ...given, selected } }) === null;
    return { stream, config: { ...(ready ? given : suggested(stream, given, destination)), selected } };
}

/** What was found, with what was chosen before of those that are still there. */
export function withChoices(found: StreamChoice[], before: StreamChoice[]): StreamChoice[] {
    const chosen = new Map(before.map((choice) => [streamId(choice.stream), choice.config]));
    return found.map((choice) => ({ ...choice, config: chosen.get(streamId(choice.stream)) ?? choice.config }));
}

/** Streams whose rows would be replaced from now on, where they were added before. */
export function newlyReplaced(before: StreamChoice[], after: StreamChoice[]): StreamChoice[] {
    const added = new Set(before.filter(({ config: { selected, destinationSyncMode } }) => selected && destinationSyncMode.startsWith("append")).map(({ stream }) => streamId(stream)));
    return after.filter(({ stream, config: { selected, destinationSyncMode } }) => selected && destinationSyncMode.startsWith("overwrite") && added.has(streamId(stream)));
}

export function isWay(given: StreamConfig, way: Way): boolean {
    return way.syncMode === given.syncMode && way.destinationSyncMode === given.destinationSyncMode;
}

export function modesOf(way: Way): Pick<StreamConfig, "syncMode" | "destinationSyncMode"> {
    return { syncMode: way.syncMode, destinationSyncMode: way.destinationSyncMode };
}
