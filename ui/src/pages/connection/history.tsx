// The jobs of a connection, newest first; each opens to its attempts, failures and logs.
import { memo, useState } from "react";
import { hasEnded, useJob, type Attempt, type Job, type JobDetails, type JobKind, type Stats } from "../../api/jobs";
import { attemptLog } from "../../api/logs";
import { Ago } from "../../parts/ago";
import { Button, Notice } from "../../parts/basics";
import { FailureNotice } from "../../parts/failure";
import { Log } from "../../parts/log";
import { JobBadge } from "../../parts/status";
import { bytes, count, duration, moment } from "../../parts/time";

const KINDS: Record<JobKind, string> = { sync: "Sync", reset_connection: "Clear", clear: "Clear", refresh: "Refresh" };
const STEP = 25;

function AttemptPart({ job, attempt, number, of }: { job: Job; attempt: Attempt; number: number; of: number }) {
    const jobId = job.id;
    const running = attempt.status === "running";
    const end = running ? Date.now() : (attempt.endedAt ?? attempt.updatedAt) * 1000;
    // Of an attempt whole seconds are known, of its job more.
    const time = of === 1 ? took(job) : end - attempt.createdAt * 1000;
    return (
        <section className="attempt">
            {of > 1 && (
                <h3>
                    Attempt {number} of {of}
                </h3>
            )}
            <p className="quiet">
                {moment(attempt.createdAt * 1000)}, {duration(time)}; {count(attempt.totalStats?.recordsEmitted ?? 0)} records read,{" "}
                {count(attempt.totalStats?.recordsCommitted ?? 0)} committed
            </p>
            {(attempt.failureSummary?.failures ?? []).map((failure, index) => (
                <FailureNotice key={index} failure={failure} />
            ))}
            <Log path={attemptLog(jobId, attempt.id)} label={`Log of job ${jobId}, attempt ${number}`} running={running} />
        </section>
    );
}

function Details({ job, connectionId }: { job: Job; connectionId: string }) {
    const details = useJob(job, connectionId);
    if (details.error && !details.data) return <Notice kind="error">{details.error.message}</Notice>;
    if (!details.data) return <p className="attempt" aria-busy="true" />;
    const { attempts } = details.data;
    return attempts.map((attempt, index) => <AttemptPart key={attempt.id} job={job} attempt={attempt} number={index + 1} of={attempts.length} />);
}

export function took(job: Job): number {
    if (hasEnded(job)) return job.durationMs ?? 0;
    return Date.now() - (job.startedAt ?? job.createdAt) * 1000;
}

/** Of one that runs: what is told of its attempts is newer than the list. */
function movedOf(job: Job, details: JobDetails | undefined): { records: number; bytes: number } {
    const attempts = !hasEnded(job) && details?.job.id === job.id ? details.attempts : [];
    const total = (of: (stats: Stats) => number | undefined) => attempts.reduce((sum, attempt) => sum + (of(attempt.totalStats ?? {}) ?? 0), 0);
    return {
        records: Math.max(job.recordsCommitted, total((stats) => stats.recordsCommitted)),
        bytes: Math.max(job.bytesCommitted, total((stats) => stats.bytesCommitted)),
    };
}

const JobRow = memo(function JobRow({ job, connectionId, details }: { job: Job; connectionId: string; details: JobDetails | undefined }) {
    const [open, setOpen] = useState(false);
    const moved = movedOf(job, details);
    return (
        <li className="job">
            <button type="button" className="job-head" aria-expanded={open} onClick={() => setOpen(!open)}>
                <JobBadge status={job.status} />
                <span className="job-kind">{KINDS[job.configType] ?? job.configType}</span>
                <span>
                    {count(moved.records)} records, {bytes(moved.bytes)}
                    {job.attempts > 1 && <span className="quiet"> in {job.attempts} attempts</span>}
                </span>
                <span>{duration(took(job))}</span>
                <span className="quiet">
                    <Ago at={job.createdAt * 1000} />
                </span>
            </button>
            {open && <Details job={job} connectionId={connectionId} />}
        </li>
    );
});

interface Props {
    jobs: Job[];
    total: number;
    connectionId: string;
    /** Of the newest. */
    details: JobDetails | undefined;
}

export function HistoryList({ jobs, total, connectionId, details }: Props) {
    const [shown, setShown] = useState(STEP);
    return (
        <>
            <ol className="card jobs" aria-label="Sync history">
                {jobs.slice(0, shown).map((job) => (
                    <JobRow key={job.id} job={job} connectionId={connectionId} details={job.id === details?.job.id ? details : undefined} />
                ))}
            </ol>
            {jobs.length === 0 && <p className="nothing quiet">Nothing has run yet.</p>}
            {total > Math.min(shown, jobs.length) && (
                <p className="actions more">
                    {shown < jobs.length && <Button onClick={() => setShown(shown + 2 * STEP)}>Show more</Button>}
                    <span className="quiet">
                        The newest {count(Math.min(shown, jobs.length))} of {count(total)}.
                    </span>
                </p>
            )}
        </>
    );
}
