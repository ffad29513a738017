// Which streams a connection moves, and how: as it was set up, changed here. Only what was changed is saved, into what the
// connection is by then.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useActor, useSpec, type DestinationSyncMode } from "../../api/actors";
import { ApiError, config } from "../../api/client";
import type { Connection } from "../../api/jobs";
import { newlyReplaced, problemOf, streamId, withChoices, type StreamChoice } from "../../api/streams";
import { Button, Notice, Problem } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { useDraft } from "../../parts/draft";
import { askedOf, StreamTable } from "../../parts/streamtable";
import { names } from "./redo";
import { applied, changesOf, conflictsOf, type StreamChanges } from "./streamchanges";

const NO_MODES: DestinationSyncMode[] = [];
const NO_CHANGES: StreamChanges = {};
const TRIES = 3;
const CONFLICT = 409;

type Told = { kind: "success" | "info"; text: string } | Error;

/** What the source had when it was asked here. */
interface Found {
    streams: StreamChoice[];
    catalogId?: string;
    /** Of the connection, when it was asked. */
    before?: string;
    news: boolean;
}

interface StreamsDraft {
    unsaved: boolean;
    changes: StreamChanges;
    found?: Found;
}

function draftOf(changes: StreamChanges, found: Found | undefined): StreamsDraft | undefined {
    const unsaved = Object.keys(changes).length > 0 || found?.news === true;
    return unsaved || found ? { unsaved, changes, found } : undefined;
}

function askFor(connectionId: string, withRefreshedCatalog = false) {
    return config<Connection>("web_backend/connections/get", { connectionId, withRefreshedCatalog });
}

/** The streams that there are, with what is done with each by now. */
function baseOf(saved: StreamChoice[], found: Found | undefined): StreamChoice[] {
    return found ? withChoices(found.streams, saved) : saved;
}

export function Streams({ connection }: { connection: Connection }) {
    const client = useQueryClient();
    const { connectionId } = connection;
    const destination = useActor("destination", connection.destinationId);
    const spec = useSpec("destination", destination.data?.definitionId);
    const [draft, setDraft] = useDraft<StreamsDraft>(`streams:${connectionId}`);
    const saved = connection.syncCatalog.streams;
    const { changes = NO_CHANGES, found } = draft ?? {};
    const base = useMemo(() => baseOf(saved, found), [saved, found]);
    const streams = useMemo(() => applied(base, changes), [base, changes]);
    const [asking, setAsking] = useState(false);
    const [busy, setBusy] = useState<"asking" | "keeping" | null>(null);
    const [reveal, setReveal] = useState<{ id: string }>();
    const [told, setTold] = useState<Told | null>(null);
    const conflicts = useMemo(() => conflictsOf(changes, base), [changes, base]);
    const error = destination.error ?? spec.error;

    async function during(what: "asking" | "keeping", act: () => Promise<Told>) {
        setBusy(what);
        setTold(null);
        try {
            setTold(await act());
        } catch (failure) {
            setTold(failure as Error);
        }
        setBusy(null);
    }

    async function refreshed(): Promise<Found> {
        const before = (await askFor(connectionId)).catalogId;
        const answer = await askFor(connectionId, true);
        return { streams: answer.syncCatalog.streams, catalogId: answer.catalogId, before, news: answer.schemaChange !== "no_change" };
    }

    const ask = () =>
        during("asking", async () => {
            const now = await refreshed();
            setDraft(draftOf(changes, now));
            return now.news
                ? { kind: "info", text: "The source has changed; what is shown is as it is now. Look at it, then save." }
                : { kind: "info", text: "The source has what it had." };
        });

    /** What is changed here goes into what the connection is by now; whoever is faster makes us read it again. */
    const keep = () =>
        during("keeping", async () => {
            for (let left = TRIES; ; left--) {
                const current = await askFor(connectionId);
                if (conflictsOf(changes, baseOf(current.syncCatalog.streams, found)).length > 0) {
                    client.setQueryData<Connection>(["connection", connectionId], (old) => old && { ...old, ...current });
                    throw new Error("Nothing was saved: somebody else has changed the same streams meanwhile. See below.");
                }
                const fresh = found && found.before !== current.catalogId ? await refreshed() : found;
                const next = applied(baseOf(current.syncCatalog.streams, fresh), changes);
                if (!next.some((choice) => choice.config.selected)) throw new Error("Select at least one stream.");
                const wrong = next.filter((choice) => problemOf(choice));
                if (wrong.length > 0) {
                    setReveal({ id: streamId(wrong[0]!.stream) });
                    throw new Error(askedOf(wrong));
                }
                try {
                    await config("web_backend/connections/update", {
                        connectionId,
                        revision: current.revision,
                        syncCatalog: { streams: next },
                        ...(fresh?.catalogId && { sourceCatalogId: fresh.catalogId }),
                    });
                    break;
                } catch (failure) {
                    if (!(failure instanceof ApiError) || failure.status !== CONFLICT || left === 0) throw failure;
                }
            }
            await client.invalidateQueries({ queryKey: ["connection", connectionId] });
            setDraft(undefined);
            return { kind: "success", text: "Saved. The next sync goes by it; to have a stream's old rows by it too, read that stream again." };
        });

    /** Of the streams that somebody else has changed too: ours over theirs, or theirs. */
    function settle(ours: boolean) {
        const is = new Map(base.map((choice) => [streamId(choice.stream), choice.config]));
        const settled = Object.entries(changes).flatMap(([id, change]) => {
            const before = is.get(id);
            if (!conflicts.includes(id)) return [[id, change] as const];
            return ours && before ? [[id, { ...change, before }] as const] : [];
        });
        setTold(null);
        setDraft(draftOf(Object.fromEntries(settled), found));
    }

    const replaced = newlyReplaced(saved, streams);
    return (
        <section className="section">
            <div className="section-head">
                <p className="quiet">Which streams are moved, and how.</p>
                <div className="actions push">
                    <Button busy={busy === "asking"} onClick={() => void ask()}>
                        {busy === "asking" ? "Asking the source…" : "Look for new streams and fields"}
                    </Button>
                </div>
            </div>
            {error && <Notice kind="error">{error.message}</Notice>}
            {told instanceof Error ? <Problem error={told} /> : told && <Notice kind={told.kind}>{told.text}</Notice>}
            {conflicts.length > 0 && (
                <Notice
                    kind="warning"
                    title="Somebody else has changed the same streams"
                    actions={
                        <div className="actions">
                            <Button onClick={() => settle(true)}>Keep mine</Button>
                            <Button onClick={() => settle(false)}>Take theirs</Button>
                        </div>
                    }
                >
                    {conflicts.map((id) => changes[id]!.name).join(", ")}: what is chosen here is not what was saved meanwhile. Yours is shown below; nothing is saved before you say.
                </Notice>
            )}
            <StreamTable
                reveal={reveal}
                streams={streams}
                destinationModes={spec.data?.supportedDestinationSyncModes ?? NO_MODES}
                onChange={(next) => {
                    setTold(null);
                    setDraft(draftOf(changesOf(next, base, changes), found));
                }}
            />
            <div className="actions">
                <Button
                    kind="primary"
                    busy={busy === "keeping"}
                    disabled={!draft?.unsaved || conflicts.length > 0}
                    onClick={() => (replaced.length > 0 ? setAsking(true) : void keep())}
                >
                    Save streams
                </Button>
                {draft?.unsaved && <Button onClick={() => setDraft(undefined)}>Undo the changes</Button>}
            </div>
            {asking && (
                <Confirm
                    title="Replace rows that were added?"
                    action="Save streams"
                    onConfirm={() => {
                        setAsking(false);
                        void keep();
                    }}
                    onClose={() => setAsking(false)}
                >
                    <p>
                        Rows of <strong>{names(replaced)}</strong> were added to those that were there; from the next sync on they are replaced. What the source does not have any more is
                        deleted at the destination.
                    </p>
                </Confirm>
            )}
        </section>
    );
}
