// The last step: which streams, when, under which names; then the connection is made and its first sync begins.
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { useActor, useSpec, type DestinationSyncMode } from "../../api/actors";
import { config } from "../../api/client";
import { useCreateConnection } from "../../api/connections";
import { DiscoverError, problemOf, streamId, suggested, useDiscover, withChoices, type StreamChoice } from "../../api/streams";
import { Button, Notice, Problem } from "../../parts/basics";
import { ConnectionFields, type ConnectionDraft } from "../../parts/connectionfields";
import { useDraft } from "../../parts/draft";
import { LogLines } from "../../parts/logs";
import { askedOf, StreamTable } from "../../parts/streamtable";

const NO_MODES: DestinationSyncMode[] = [];

/** What was chosen here, for whoever goes a step back. */
interface StepDraft {
    unsaved: boolean;
    streams: StreamChoice[];
    fields: ConnectionDraft;
}

const FIELDS: ConnectionDraft = {
    name: "",
    scheduleType: "manual",
    namespaceDefinition: "destination",
    namespaceFormat: "${SOURCE_NAMESPACE}",
    prefix: "",
    nonBreakingChangesPreference: "propagate_columns",
};

function suggestedOf(found: StreamChoice[], modes: DestinationSyncMode[]): StreamChoice[] {
    const picks = found.some((choice) => choice.config.suggested);
    return found.map((choice) => ({
        ...choice,
        config: { ...suggested(choice.stream, choice.config, modes), selected: !picks || choice.config.suggested },
    }));
}

export function StreamsStep({ sourceId, destinationId }: { sourceId: string; destinationId: string }) {
    const [, go] = useLocation();
    const source = useActor("source", sourceId);
    const destination = useActor("destination", destinationId);
    const spec = useSpec("destination", destination.data?.definitionId);
    const discovered = useDiscover(sourceId);
    const create = useCreateConnection();
    const [draft, setDraft] = useDraft<StepDraft>(`setup:${sourceId}:${destinationId}`);
    const [streams, setStreams] = useState<StreamChoice[] | null>(null);
    const [problem, setProblem] = useState<Error | null>(null);
    const [reveal, setReveal] = useState<{ id: string }>();
    const [busy, setBusy] = useState(false);
    // Clicks come faster than a state is drawn.
    const begun = useRef(false);
    const kept = useRef(draft);
    kept.current = draft;
    const fields = draft?.fields ?? FIELDS;
    const modes = spec.data?.supportedDestinationSyncModes ?? NO_MODES;

    useEffect(() => {
        if (discovered.data && spec.data) setStreams(withChoices(suggestedOf(discovered.data.catalog.streams, modes), kept.current?.streams ?? []));
    }, [discovered.data, spec.data, modes]);

    const error = source.error ?? destination.error ?? spec.error ?? discovered.error;
    const failure = error && !discovered.isFetching && (
        <Notice kind="error" title="The streams could not be had" actions={<Button onClick={() => void discovered.refetch()}>Try again</Button>}>
            {error.message}
            {error instanceof DiscoverError && <LogLines lines={error.logs} open />}
        </Notice>
    );
    if (!streams || !source.data || !destination.data)
        return (
            failure || (
                <p aria-busy="true" role="status">
                    Asking {source.data?.name ?? "the source"} for its streams…
                </p>
            )
        );

    if (streams.length === 0)
        return (
            failure || (
                <Notice kind="warning" title={`${source.data.name} has no streams`} actions={<Button busy={discovered.isFetching} onClick={() => void discovered.refetch()}>Ask again</Button>}>
                    It was asked just now and named none. See whether its configuration leaves them out, or whether its user may see none, then ask again.{" "}
                    <Link href={`/sources/${sourceId}`}>Open the source</Link>
                </Notice>
            )
        );

    const name = fields.name || `${source.data.name} → ${destination.data.name}`;
    const selected = streams.filter((choice) => choice.config.selected);
    const wrong = streams.filter((choice) => problemOf(choice));

    function choose(next: StreamChoice[]) {
        setStreams(next);
        setDraft({ unsaved: true, streams: next, fields });
    }

    async function setUp() {
        if (begun.current) return;
        setProblem(null);
        if (selected.length === 0) return setProblem(new Error("Select at least one stream."));
        if (wrong.length > 0) {
            setReveal({ id: streamId(wrong[0]!.stream) });
            return setProblem(new Error(askedOf(wrong)));
        }
        begun.current = true;
        setBusy(true);
        let made: { connectionId: string };
        try {
            made = await create.mutateAsync({
                ...fields,
                name,
                sourceId,
                destinationId,
                status: "active",
                sourceCatalogId: discovered.data?.catalogId,
                syncCatalog: { streams: streams! },
            });
        } catch (failed) {
            begun.current = false;
            setBusy(false);
            return setProblem(failed as Error);
        }
        setDraft(undefined);
        // It is there from now on, whatever becomes of its first sync. One that runs every so often syncs by itself.
        let unsynced: string | undefined;
        if (fields.scheduleType !== "basic")
            await config("connections/sync", { connectionId: made.connectionId }).catch((failed: Error) => {
                unsynced = failed.message;
            });
        go(`/connections/${made.connectionId}`, { state: unsynced && { unsynced } });
    }

    return (
        <>
            <div className="section-head">
                <h2>Which streams?</h2>
                <div className="actions push">
                    <Button busy={discovered.isFetching} onClick={() => void discovered.refetch()}>
                        {discovered.isFetching ? "Asking the source…" : "Ask again"}
                    </Button>
                </div>
            </div>
            <p className="quiet">
                {source.data.name} has {streams.length}. How each is moved is suggested; change what you like.
            </p>
            {failure}
            <StreamTable streams={streams} destinationModes={modes} onChange={choose} reveal={reveal} />
            <section className="card padded fields">
                <h2>When, and under which names</h2>
                <ConnectionFields
                    draft={fields}
                    otherwise={name}
                    example={selected[0]?.stream.name ?? "users"}
                    onChange={(next) => setDraft({ unsaved: true, streams, fields: next })}
                />
            </section>
            <Problem error={problem} />
            <Button kind="primary" busy={busy} onClick={() => void setUp()}>
                Set up connection
            </Button>
        </>
    );
}
