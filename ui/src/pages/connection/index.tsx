// A connection: how it is, what it moves just now, what it did before; and what one can do with it.
import { useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { hasEnded, useAct, useConnection, useJobs } from "../../api/jobs";
import { Button, Notice, PageHead, Switch } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { FailureNotice } from "../../parts/failure";
import { JobBadge } from "../../parts/status";
import { History } from "./history";
import { Progress } from "./progress";

type Question = "clear" | "refresh" | "delete";

const QUESTIONS: Record<Question, { title: string; text: string; action: string }> = {
    clear: {
        title: "Clear the data of this connection?",
        text: "What it has written at the destination is removed, and what it remembers of the source is forgotten. The next sync reads everything.",
        action: "Clear",
    },
    refresh: {
        title: "Read everything again?",
        text: "All selected streams are read from their beginning. What is at the destination stays until the new rows are there.",
        action: "Refresh",
    },
    delete: {
        title: "Delete this connection?",
        text: "Its history and its state go with it. What it has written at the destination stays, and so do the source and the destination.",
        action: "Delete",
    },
};

export default function ConnectionPage() {
    const { id = "" } = useParams<{ id: string }>();
    const [, go] = useLocation();
    // Nothing is asked of a connection that is being deleted.
    const [going, setGoing] = useState(false);
    const connection = useConnection(id, !going);
    const jobs = useJobs(id, !going);
    const act = useAct(id);
    const [question, setQuestion] = useState<Question | null>(null);

    if (connection.error) return <Notice kind="error">{connection.error.message}</Notice>;
    if (!connection.data) return <div aria-busy="true" />;
    const { name, source, destination, status, syncCatalog, schemaChange } = connection.data;
    const newest = jobs.data?.jobs[0];
    const running = newest && !hasEnded(newest.job) ? newest.job : undefined;
    const lastAttempt = newest?.attempts[newest.attempts.length - 1];
    const failure = newest?.job.status === "failed" || newest?.job.status === "incomplete" ? lastAttempt?.failureSummary?.failures[0] : undefined;

    function confirm(asked: Question) {
        setGoing(asked === "delete");
        act.mutate(
            { path: `connections/${asked}`, body: asked === "refresh" ? { connectionId: id, refreshMode: "Merge" } : { connectionId: id } },
            { onSuccess: () => (asked === "delete" ? go("/connections") : undefined), onError: () => setGoing(false), onSettled: () => setQuestion(null) },
        );
    }

    return (
        <>
            <p className="quiet">
                <Link href="/connections">Connections</Link>
            </p>
            <PageHead
                title={name}
                lead={
                    <>
                        <Link href={`/sources/${connection.data.sourceId}`}>{source.name}</Link> to{" "}
                        <Link href={`/destinations/${connection.data.destinationId}`}>{destination.name}</Link>
                    </>
                }
                actions={
                    <>
                        <Switch
                            label="On"
                            checked={status === "active"}
                            onChange={(on) => act.mutate({ path: "connections/update", body: { connectionId: id, status: on ? "active" : "inactive" } })}
                        />
                        {running ? (
                            <Button kind="danger" busy={act.isPending} onClick={() => act.mutate({ path: "jobs/cancel", body: { id: running.id } })}>
                                Cancel
                            </Button>
                        ) : (
                            <Button
                                kind="primary"
                                busy={act.isPending}
                                disabled={status !== "active"}
                                onClick={() => act.mutate({ path: "connections/sync", body: { connectionId: id } })}
                            >
                                Sync now
                            </Button>
                        )}
                    </>
                }
            />
            {act.error && <Notice kind="error">{act.error.message}</Notice>}
            {schemaChange === "breaking" && (
                <Notice kind="warning" title="The source's schema has changed">
                    A stream or a field that this connection needs is gone or different. Nothing is synced until somebody has looked at it.
                </Notice>
            )}
            {failure && <FailureNotice failure={failure} />}
            <section className="section" aria-label="Now">
                <div className="section-head">
                    <h2>Streams</h2>
                    <span aria-live="polite">{newest && <JobBadge status={newest.job.status} />}</span>
                </div>
                <Progress streams={syncCatalog.streams} newest={newest} />
            </section>
            <section className="section">
                <h2>Sync history</h2>
                {jobs.error && <Notice kind="error">{jobs.error.message}</Notice>}
                {jobs.data && <History jobs={jobs.data.jobs} total={jobs.data.totalJobCount} />}
            </section>
            <section className="section">
                <h2>More</h2>
                <div className="actions">
                    <Button disabled={running !== undefined} onClick={() => setQuestion("refresh")}>
                        Read everything again
                    </Button>
                    <Button disabled={running !== undefined} onClick={() => setQuestion("clear")}>
                        Clear data
                    </Button>
                    <Button kind="danger" onClick={() => setQuestion("delete")}>
                        Delete connection
                    </Button>
                </div>
            </section>
            {question && (
                <Confirm title={QUESTIONS[question].title} action={QUESTIONS[question].action} busy={act.isPending} onConfirm={() => confirm(question)} onClose={() => setQuestion(null)}>
                    {QUESTIONS[question].text}
                </Confirm>
            )}
        </>
    );
}
