// The last step: which streams, when, under which names; then the connection is made and its first sync begins.
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useActor, useSpec, type DestinationSyncMode } from "../../api/actors";
import { config } from "../../api/client";
import { useCreateConnection } from "../../api/connections";
import { DiscoverError, problemOf, suggested, useDiscover, type StreamChoice } from "../../api/streams";
import { Button, Notice } from "../../parts/basics";
import { ConnectionFields, type ConnectionDraft } from "../../parts/connectionfields";
import { LogLines } from "../../parts/logs";
import { StreamTable } from "../../parts/streamtable";

const NO_MODES: DestinationSyncMode[] = [];

export function StreamsStep({ sourceId, destinationId }: { sourceId: string; destinationId: string }) {
    const [, go] = useLocation();
    const source = useActor("source", sourceId);
    const destination = useActor("destination", destinationId);
    const spec = useSpec("destination", destination.data?.definitionId);
    const discovered = useDiscover(sourceId);
    const create = useCreateConnection();
    const [streams, setStreams] = useState<StreamChoice[] | null>(null);
    const [problem, setProblem] = useState<string | null>(null);
    const [draft, setDraft] = useState<ConnectionDraft>({
        name: "",
        scheduleType: "manual",
        namespaceDefinition: "destination",
        namespaceFormat: "${SOURCE_NAMESPACE}",
        prefix: "",
        nonBreakingChangesPreference: "propagate_columns",
    });
    const modes = spec.data?.supportedDestinationSyncModes ?? NO_MODES;

    useEffect(() => {
        if (streams || !discovered.data || !spec.data) return;
        const found = discovered.data.catalog.streams;
        const picks = found.some((choice) => choice.config.suggested);
        setStreams(
            found.map((choice) => ({
                ...choice,
                config: { ...suggested(choice.stream, choice.config, modes), selected: !picks || choice.config.suggested },
            })),
        );
    }, [streams, discovered.data, spec.data, modes]);

    const error = source.error ?? destination.error ?? spec.error ?? discovered.error;
    if (error)
        return (
            <Notice kind="error" title="The streams could not be had" actions={<Button onClick={() => void discovered.refetch()}>Try again</Button>}>
                {error.message}
                {error instanceof DiscoverError && <LogLines lines={error.logs} open />}
            </Notice>
        );
    if (!streams || !source.data || !destination.data)
        return (
            <p aria-busy="true" role="status">
                Asking {source.data?.name ?? "the source"} for its streams…
            </p>
        );

    const name = draft.name || `${source.data.name} → ${destination.data.name}`;
    const selected = streams.filter((choice) => choice.config.selected);
    const wrong = streams.filter((choice) => problemOf(choice)).length;

    async function setUp() {
        setProblem(null);
        if (selected.length === 0) return setProblem("Select at least one stream.");
        if (wrong > 0) return setProblem(`${wrong === 1 ? "A stream needs" : `${wrong} streams need`} something more: see what is said in red.`);
        try {
            const made = await create.mutateAsync({
                ...draft,
                name,
                sourceId,
                destinationId,
                status: "active",
                sourceCatalogId: discovered.data?.catalogId,
                syncCatalog: { streams: streams! },
            });
            // The first sync begins at once; one that runs every so often does so by itself.
            if (draft.scheduleType !== "basic") await config("connections/sync", { connectionId: made.connectionId });
            go(`/connections/${made.connectionId}`);
        } catch (failure) {
            setProblem((failure as Error).message);
        }
    }

    return (
        <>
            <h2>Which streams?</h2>
            <p className="quiet">
                {source.data.name} has {streams.length}. How each is moved is suggested; change what you like.
            </p>
            <StreamTable streams={streams} destinationModes={modes} onChange={setStreams} />
            <section className="card padded fields">
                <h2>When, and under which names</h2>
                <ConnectionFields draft={draft} otherwise={name} example={selected[0]?.stream.name ?? "users"} onChange={setDraft} />
            </section>
            {problem && <Notice kind="error">{problem}</Notice>}
            <Button kind="primary" busy={create.isPending} onClick={() => void setUp()}>
                Set up connection
            </Button>
        </>
    );
}
