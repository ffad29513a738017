// The jobs of a connection, newest first; each opens to its attempts, failures and logs.
import { useState } from "react";
import { hasEnded, useAttemptLog, type Attempt, type JobKind, type JobWithAttempts } from "../../api/jobs";
import { Button } from "../../parts/basics";
import { FailureNotice } from "../../parts/failure";
import { JobBadge } from "../../parts/status";
import { bytes, count, duration, fromNow, moment } from "../../parts/time";

const KINDS: Record<JobKind, string> = { sync: "Sync", reset_connection: "Clear", clear: "Clear", refresh: "Refresh" };

function Log({ jobId, attempt }: { jobId: number; attempt: Attempt }) {
    const [shown, setShown] = useState(false);
    const [search, setSearch] = useState("");
    const log = useAttemptLog(jobId, attempt.id, attempt.status === "running", shown);
    const wanted = search.trim().toLowerCase();
    const lines = (log.data ?? []).filter((line) => line.toLowerCase().includes(wanted));
    return (
        <>
            <div className="actions">
                <Button aria-expanded={shown} onClick={() => setShown(!shown)}>
                    {shown ? "Hide the log" : "Show the log"}
                </Button>
                <a className="button" href={`/api/firth/v1/jobs/${jobId}/attempts/${attempt.id}/log?format=text`} download>
                    Download
                </a>
            </div>
            {shown && (
                <>
                    <input type="search" aria-label="Search the log" placeholder="Search the log" value={search} onChange={(event) => setSearch(event.target.value)} />
                    {log.error && <p className="problem">{log.error.message}</p>}
                    <pre className="log" tabIndex={0}>
                        {lines.join("\n") || (log.isPending ? "Reading…" : "Nothing.")}
                    </pre>
                </>
            )}
        </>
    );
}

function AttemptPart({ jobId, attempt, number, of }: { jobId: number; attempt: Attempt; number: number; of: number }) {
    const end = (attempt.endedAt ?? attempt.updatedAt) * 1000;
    return (
        <section className="attempt">
            {of > 1 && (
                <h3>
                    Attempt {number} of {of}
                </h3>
            )}
            <p className="quiet">
                {moment(attempt.createdAt * 1000)}, {duration(end - attempt.createdAt * 1000)}; {count(attempt.totalStats?.recordsEmitted ?? 0)} records read,{" "}
                {count(attempt.totalStats?.recordsCommitted ?? 0)} committed
            </p>
            {(attempt.failureSummary?.failures ?? []).map((failure, index) => (
                <FailureNotice key={index} failure={failure} />
            ))}
            <Log jobId={jobId} attempt={attempt} />
        </section>
    );
}

function JobRow({ item }: { item: JobWithAttempts }) {
    const { job, attempts } = item;
    const [open, setOpen] = useState(false);
    const began = (job.startedAt ?? job.createdAt) * 1000;
    const took = (hasEnded(job) ? job.updatedAt * 1000 : Date.now()) - began;
    return (
        <li className="job">
            <button type="button" className="job-head" aria-expanded={open} onClick={() => setOpen(!open)}>
                <JobBadge status={job.status} />
                <span className="job-kind">{KINDS[job.configType] ?? job.configType}</span>
                <span>
                    {count(job.aggregatedStats?.recordsCommitted ?? 0)} records, {bytes(job.aggregatedStats?.bytesCommitted ?? 0)}
                </span>
                <span>{duration(took)}</span>
                <span className="quiet">
                    <time title={moment(job.createdAt * 1000)}>{fromNow(job.createdAt * 1000)}</time>
                </span>
            </button>
            {open && attempts.map((attempt, index) => <AttemptPart key={attempt.id} jobId={job.id} attempt={attempt} number={index + 1} of={attempts.length} />)}
        </li>
    );
}

export function History({ jobs, total }: { jobs: JobWithAttempts[]; total: number }) {
    return (
        <>
            <ol className="card jobs" aria-label="Sync history">
                {jobs.map((item) => (
                    <JobRow key={item.job.id} item={item} />
                ))}
            </ol>
            {jobs.length === 0 && <p className="nothing quiet">Nothing has run yet.</p>}
            {total > jobs.length && (
                <p className="quiet">
                    The newest {jobs.length} of {count(total)}.
                </p>
            )}
        </>
    );
}
