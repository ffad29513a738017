// Which streams a connection moves, and how: as it was set up, changed here.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useActor, useSpec, type DestinationSyncMode } from "../../api/actors";
import { config } from "../../api/client";
import type { Connection } from "../../api/jobs";
import { newlyReplaced, problemOf, streamId, withChoices, type StreamChoice } from "../../api/streams";
import { Button, Notice } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { useDraft } from "../../parts/draft";
import { StreamTable } from "../../parts/streamtable";
import { names } from "./redo";

const NO_MODES: DestinationSyncMode[] = [];

type Told = { kind: "success" | "error" | "info"; text: string };

interface StreamsDraft {
    unsaved: boolean;
    streams: StreamChoice[];
    /** What the source had when it was asked here. */
    catalogId?: string;
}

/** Those with which something else is to be done than is done. */
function changedOf(streams: StreamChoice[], saved: StreamChoice[]): StreamChoice[] {
    const before = new Map(saved.map((choice) => [streamId(choice.stream), JSON.stringify(choice.config)]));
    return streams.filter((choice) => before.get(streamId(choice.stream)) !== JSON.stringify(choice.config));
}

export function Streams({ connection }: { connection: Connection }) {
    const client = useQueryClient();
    const destination = useActor("destination", connection.destinationId);
    const spec = useSpec("destination", destination.data?.definitionId);
    const [draft, setDraft] = useDraft<StreamsDraft>(`streams:${connection.connectionId}`);
    const saved = connection.syncCatalog.streams;
    const streams = draft?.streams ?? saved;
    const [asking, setAsking] = useState(false);
    const [busy, setBusy] = useState<"asking" | "keeping" | null>(null);
    const [told, setTold] = useState<Told | null>(null);
    const error = destination.error ?? spec.error;

    async function during(what: "asking" | "keeping", act: () => Promise<Told>) {
        setBusy(what);
        setTold(null);
        try {
            setTold(await act());
        } catch (failure) {
            setTold({ kind: "error", text: (failure as Error).message });
        }
        setBusy(null);
    }

    const ask = () =>
        during("asking", async () => {
            const found = await config<Connection>("web_backend/connections/get", { connectionId: connection.connectionId, withRefreshedCatalog: true });
            const chosen = draft?.unsaved ? changedOf(draft.streams, saved) : [];
            setDraft({
                unsaved: chosen.length > 0 || found.schemaChange !== "no_change",
                streams: withChoices(found.syncCatalog.streams, chosen),
                catalogId: found.catalogId,
            });
            return found.schemaChange === "no_change"
                ? { kind: "info", text: "The source has what it had." }
                : { kind: "info", text: "The source has changed; what is shown is as it is now. Look at it, then save." };
        });

    const keep = () =>
        during("keeping", async () => {
            if (!streams.some((choice) => choice.config.selected)) return { kind: "error", text: "Select at least one stream." };
            if (streams.some((choice) => problemOf(choice))) return { kind: "error", text: "A stream needs something more: see what is said in red." };
            await config("web_backend/connections/update", {
                connectionId: connection.connectionId,
                syncCatalog: { streams },
                ...(draft?.catalogId && { sourceCatalogId: draft.catalogId }),
            });
            await client.invalidateQueries({ queryKey: ["connection", connection.connectionId] });
            setDraft(undefined);
            return { kind: "success", text: "Saved. The next sync goes by it; to have a stream's old rows by it too, read that stream again." };
        });

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
            {told && <Notice kind={told.kind}>{told.text}</Notice>}
            <StreamTable
                streams={streams}
                destinationModes={spec.data?.supportedDestinationSyncModes ?? NO_MODES}
                onChange={(next) => setDraft({ unsaved: true, streams: next, catalogId: draft?.catalogId })}
            />
            <div className="actions">
                <Button kind="primary" busy={busy === "keeping"} disabled={!draft?.unsaved} onClick={() => (replaced.length > 0 ? setAsking(true) : void keep())}>
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
