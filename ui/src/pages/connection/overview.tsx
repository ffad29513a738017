// How a connection is: what it moves just now, of which streams, and what it did before.
import { useState } from "react";
import { hasEnded, useJob, type Connection, type History } from "../../api/jobs";
import { streamId } from "../../api/streams";
import { Button, Notice } from "../../parts/basics";
import { FailureNotice } from "../../parts/failure";
import { JobBadge } from "../../parts/status";
import { HistoryCharts } from "./charts";
import { HistoryList } from "./history";
import { Progress } from "./progress";
import { Redo, type Redoing } from "./redo";

interface Props {
    connection: Connection;
    history: History | undefined;
    error: Error | null;
    onRedo: (doing: Redoing) => void;
    busy: boolean;
}

export function Overview({ connection, history, error, onRedo, busy }: Props) {
    const streams = connection.syncCatalog.streams.filter((choice) => choice.config.selected);
    const newest = history?.jobs[0];
    const details = useJob(newest, connection.connectionId);
    const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
    const [asking, setAsking] = useState<"refresh" | "clear" | null>(null);
    const running = newest !== undefined && !hasEnded(newest);
    const attempts = details.data?.attempts ?? [];
    const failure = newest && ["failed", "incomplete"].includes(newest.status) ? attempts.findLast((attempt) => attempt.failureSummary)?.failureSummary?.failures[0] : undefined;
    const touched = streams.filter((choice) => chosen.has(streamId(choice.stream)));

    function choose(ids: string[], on: boolean) {
        setChosen((before) => {
            const after = new Set(before);
            for (const id of ids) {
                if (on) after.add(id);
                else after.delete(id);
            }
            return after;
        });
    }

    return (
        <>
            {failure && <FailureNotice failure={failure} connection={connection} trying={newest?.status === "incomplete"} />}
            <section className="section" aria-label="Now">
                <div className="section-head">
                    <h2>Streams</h2>
                    <span aria-live="polite">{newest && <JobBadge status={newest.status} />}</span>
                    <div className="actions push">
                        <Button disabled={running || touched.length === 0} onClick={() => setAsking("refresh")}>
                            Read again…
                        </Button>
                        <Button disabled={running || touched.length === 0} onClick={() => setAsking("clear")}>
                            Clear…
                        </Button>
                    </div>
                </div>
                <p className="quiet hint">
                    {running
                        ? "Streams can be read again or cleared once nothing runs."
                        : touched.length === 0
                          ? "Choose streams to read them again from their beginning, or to clear them."
                          : `${touched.length} of ${streams.length} chosen.`}
                </p>
                <Progress
                    streams={streams}
                    newest={details.data}
                    ofAll={newest?.configType === "sync"}
                    chosen={chosen}
                    onChoose={(id, on) => choose([id], on)}
                    onChooseAll={(on, of) =>
                        choose(
                            of.map((choice) => streamId(choice.stream)),
                            on,
                        )
                    }
                />
            </section>
            <section className="section">
                <h2>Sync history</h2>
                {error && <Notice kind="error">{error.message}</Notice>}
                {history && <HistoryCharts jobs={history.jobs} />}
                {history && <HistoryList details={details.data} jobs={history.jobs} total={history.total} connectionId={connection.connectionId} />}
            </section>
            {asking && (
                <Redo
                    what={asking}
                    streams={touched}
                    all={touched.length === streams.length}
                    busy={busy}
                    onClose={() => setAsking(null)}
                    onDo={(doing) => {
                        setAsking(null);
                        setChosen(new Set());
                        onRedo(doing);
                    }}
                />
            )}
        </>
    );
}
