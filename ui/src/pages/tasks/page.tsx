// One capture or materialization: how it is, how fast, and what of each stream.
import { Link, Redirect } from "wouter";
import { taskLog } from "../../api/logs";
import { useStanding } from "../../api/standing";
import { TASK_PATHS, useSamples, useStatus, type TaskKind, type TaskStatus, type TaskStream } from "../../api/tasks";
import { Ago } from "../../parts/ago";
import { Badge, Missing, Notice, PageHead } from "../../parts/basics";
import { Chart } from "../../parts/chart";
import { Log } from "../../parts/log";
import { TaskBadge } from "../../parts/taskstate";
import { about, bytes, count, duration, known, seconds, span } from "../../parts/time";
import { Discovery } from "./discovery";

const perSecond = (value: number) => `${about(value)}/s`;

const PLACES: Record<TaskKind, string> = { capture: "Captures", materialization: "Materializations", connection: "Connections of catalogs" };

/** What the catalog says of it, where that is not simply yes. */
function BindingState({ one }: { one: TaskStream }) {
    if (one.bound === false) return <Badge tone="off">Not in the catalog any more</Badge>;
    return one.enabled === false ? <Badge tone="off">Switched off</Badge> : null;
}

function CollectionLink({ name }: { name: string | null | undefined }) {
    return name ? <Link href={`/collections/${name}`}>{name}</Link> : <>–</>;
}

/** A capture's from streams into collections, a materialization's from collections to what the endpoint calls tables. */
function Bindings({ kind, streams }: { kind: TaskKind; streams: TaskStream[] }) {
    const captures = kind === "capture";
    const [from, moved, last] = { capture: ["What is captured", "Captured", "Invalid"], materialization: ["What is read", "Read", "Behind"], connection: ["Stream", "Moved", "Invalid"] }[kind];
    return (
        <section className="section">
            <h2>Bindings</h2>
            {kind === "materialization" && <p className="quiet hint">Behind: documents of the collection that are not written yet.</p>}
            <div className="card table-frame">
                <table className="stacked" aria-label="Bindings">
                    <thead>
                        <tr>
                            <th>{from}</th>
                            <th>Into</th>
                            <th className="number">Documents</th>
                            <th className="number">{moved}</th>
                            <th className="number">{last}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {streams.map((one) => (
                            <tr key={`${one.stream}\u0000${one.source ?? one.target ?? ""}`}>
                                <td className="title">
                                    {kind === "materialization" ? <CollectionLink name={one.source} /> : one.stream} <BindingState one={one} />
                                </td>
                                <td data-label="Into">{captures ? <CollectionLink name={one.target} /> : (one.target ?? "–")}</td>
                                <td className="number" data-label="Documents">
                                    {known(one.documents, count)}
                                </td>
                                <td className="number" data-label={moved}>
                                    {known(one.bytes, bytes)}
                                </td>
                                <td className="number" data-label={last}>
                                    {known(kind === "materialization" ? one.behind : one.invalid, count)}
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </section>
    );
}

function Session({ task }: { task: TaskStatus }) {
    const { session, live, next_at: next } = task;
    if (!session) return null;
    // One that was cut off with its daemon is never told to have ended.
    const outcome = session.outcome === "running" && !live ? "was cut short" : session.outcome === "running" ? "is running" : session.outcome;
    return (
        <p className="quiet">
            Session {count(session.number)} {outcome}, begun <Ago at={session.started_at} />:{" "}
            {session.documents === null ? "what it moved is not known" : `${count(session.documents)} documents, ${known(session.bytes, bytes)}`}.
            {next && session.outcome !== "running" && (
                <>
                    {" "}
                    The next begins <Ago at={next} />.
                </>
            )}
        </p>
    );
}

/** What helps after a failure, and what goes on by itself. */
function WhatToDo({ task }: { task: TaskStatus }) {
    const log = "What its connector said is in the log below.";
    if (task.state === "failed")
        return (
            <p>
                It is not tried again by itself. Mend what is said here, in the catalog or at the endpoint, and deploy it again (<code>firth deploy</code>). {log}
            </p>
        );
    if (task.next_at)
        return (
            <p>
                It is tried again <Ago at={task.next_at} />, without your doing; if it goes on like that, look at the endpoint and its configuration. {log}
            </p>
        );
    return <p>{log}</p>;
}

/** What it does just now, in words. */
function rateText(live: TaskStatus["live"], away: boolean): string {
    if (away) return "not known: the daemon is away";
    if (!live) return "it does not run just now";
    return live.documents_per_second === null ? "not known just now" : `${about(Math.round(live.documents_per_second))} documents a second just now`;
}

export function TaskPage({ name, kind }: { name: string; kind: TaskKind }) {
    const status = useStatus();
    const task = status.data?.find((one) => one.task === name);
    // Where nothing is said of it, it does not run.
    const samples = useSamples(task && (task.live ?? null));
    const away = useStanding() === "away";

    const all = { to: TASK_PATHS[kind], place: `All ${kind}s` };
    if (status.error && !status.data)
        return (
            <Missing title={name} {...all}>
                {status.error.message}
            </Missing>
        );
    if (!status.data) return <div aria-busy="true" />;
    if (!task)
        return (
            <Missing title={name} {...all}>
                There is no {kind} of this name; it may have been taken out of the catalog.
            </Missing>
        );
    if (task.kind && task.kind !== kind) return <Redirect to={`${TASK_PATHS[task.kind]}/${name}`} replace />;
    const { error, damage, live } = task;
    return (
        <>
            <p className="quiet">
                <Link href={TASK_PATHS[kind]}>{PLACES[kind]}</Link>
            </p>
            <PageHead
                title={task.task}
                lead={
                    task.committed_at ? (
                        <>
                            Last commit <Ago at={task.committed_at} />
                        </>
                    ) : damage ? (
                        "What it has committed is not known"
                    ) : (
                        "Nothing was committed yet"
                    )
                }
                actions={<TaskBadge state={task.state} />}
            />
            {error && (
                <Notice kind="error" title={error.at ? <>It failed <Ago at={error.at} /></> : "It failed"}>
                    {error.message}
                    <WhatToDo task={task} />
                </Notice>
            )}
            {damage && (
                <Notice kind="error" title="Its commit log cannot be read">
                    {damage.message}
                </Notice>
            )}
            <div className="charts">
                <Chart title="Throughput" summary={rateText(live, away)} at={samples.at} values={samples.rate} format={perSecond} />
                <Chart least={1000} title="Lag" summary={live?.lag_ms != null && !away ? `${duration(live.lag_ms)} just now` : "not known just now"} at={samples.at} values={samples.lag} format={seconds} axis={span} />
            </div>
            <Session task={task} />
            {(task.streams ?? []).length > 0 && <Bindings kind={kind} streams={task.streams!} />}
            {kind === "capture" && <Discovery key={name} task={name} />}
            {task.collections.length > 0 && (
                <section className="section">
                    <h2>Collections</h2>
                    <div className="card table-frame">
                        <table className="stacked">
                            <thead>
                                <tr>
                                    <th>Collection</th>
                                    <th className="number">Documents</th>
                                    <th className="number">On disk</th>
                                    <th>Last commit</th>
                                </tr>
                            </thead>
                            <tbody>
                                {task.collections.map((part) => (
                                    <tr key={part.collection}>
                                        <td className="title">
                                            <Link href={`/collections/${part.collection}`}>{part.collection}</Link>
                                        </td>
                                        <td className="number" data-label="Documents">
                                            {part.damage ? "damaged" : known(part.documents, count)}
                                        </td>
                                        <td className="number" data-label="On disk">
                                            {known(part.bytes, bytes)}
                                        </td>
                                        <td data-label="Last commit">
                                            <Ago at={part.committed_at} />
                                        </td>
                                    </tr>
                                ))}
                            </tbody>
                        </table>
                    </div>
                </section>
            )}
            {task.state !== null && (
                <section className="section">
                    <h2>Log</h2>
                    <Log key={name} path={taskLog(name)} label={`Log of ${name}`} running />
                </section>
            )}
        </>
    );
}
