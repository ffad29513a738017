// Which streams a connection moves, and how: as it was set up, changed here.
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useActor, useSpec, type DestinationSyncMode } from "../../api/actors";
import { config } from "../../api/client";
import type { Connection } from "../../api/jobs";
import { problemOf, type StreamChoice } from "../../api/streams";
import { Button, Notice } from "../../parts/basics";
import { StreamTable } from "../../parts/streamtable";

const NO_MODES: DestinationSyncMode[] = [];

type Told = { kind: "success" | "error" | "info"; text: string };

export function Streams({ connection }: { connection: Connection }) {
    const client = useQueryClient();
    const destination = useActor("destination", connection.destinationId);
    const spec = useSpec("destination", destination.data?.definitionId);
    const [streams, setStreams] = useState<StreamChoice[]>(connection.syncCatalog.streams);
    const [catalogId, setCatalogId] = useState<string | undefined>();
    const [changed, setChanged] = useState(false);
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
            setStreams(found.syncCatalog.streams);
            setCatalogId(found.catalogId);
            setChanged(found.schemaChange !== "no_change");
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
                ...(catalogId && { sourceCatalogId: catalogId }),
            });
            setChanged(false);
            await client.invalidateQueries({ queryKey: ["connection", connection.connectionId] });
            return { kind: "success", text: "Saved. The next sync goes by it; to have a stream's old rows by it too, read that stream again." };
        });

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
                onChange={(next) => {
                    setStreams(next);
                    setChanged(true);
                }}
            />
            <Button kind="primary" busy={busy === "keeping"} disabled={!changed} onClick={() => void keep()}>
                Save streams
            </Button>
        </section>
    );
}
