// One capture or materialization: how it is, how fast, and what of each stream.
import { Link } from "wouter";
import { useSamples, useStatus, type TaskKind, type TaskStatus } from "../../api/tasks";
import { Ago } from "../../parts/ago";
import { Notice, PageHead } from "../../parts/basics";
import { Chart } from "../../parts/chart";
import { TaskBadge } from "../../parts/taskstate";
import { about, bytes, count, duration, moment, seconds, span } from "../../parts/time";
import { Discovery } from "./discovery";

const perSecond = (value: number) => `${about(value)}/s`;

/** Documents of the collection that it has not written yet. */
function behindText(behind: number | null | undefined): string {
    return behind === undefined || behind === null ? "not known" : count(behind);
}

function Bindings({ kind, streams }: { kind: TaskKind; streams: NonNullable<TaskStatus["streams"]> }) {
    return (
        <section className="section">
            <h2>Bindings</h2>
            <div className="card table-frame">
                <table className="stacked">
                    <thead>
                        <tr>
                            <th>{kind === "capture" ? "What is captured" : "Binding"}</th>
                            <th>{kind === "capture" ? "Into" : "What is written"}</th>
                            <th className="number">Documents</th>
                            <th className="number">Size</th>
                            <th className="number">{kind === "capture" ? "Invalid" : "Behind"}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {streams.map((one) => (
                            <tr key={`${one.stream}\u0000${one.target ?? ""}`}>
                                <td className="title">{one.stream}</td>
                                <td data-label={kind === "capture" ? "Into" : "What is written"}>
                                    {kind === "capture" && one.target ? <Link href={`/collections/${one.target}`}>{one.target}</Link> : (one.target ?? "–")}
                                </td>
                                <td className="number" data-label="Documents">
                                    {count(one.documents)}
                                </td>
                                <td className="number" data-label="Size">
                                    {bytes(one.bytes)}
                                </td>
                                <td className="number" data-label={kind === "capture" ? "Invalid" : "Behind"}>
                                    {kind === "capture" ? count(one.invalid ?? 0) : behindText(one.behind)}
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </section>
    );
}

export function TaskPage({ name, kind }: { name: string; kind: TaskKind }) {
    const status = useStatus();
    const task = status.data?.find((one) => one.task === name);
    const samples = useSamples(task?.live);

    if (status.error && !status.data) return <Notice kind="error">{status.error.message}</Notice>;
    if (!status.data) return <div aria-busy="true" />;
    if (!task) return <Notice kind="error">There is no {kind} of this name; it may have been taken out of the catalog.</Notice>;
    const { session, error, damage, live } = task;
    return (
        <>
            <p className="quiet">
                <Link href={`/${kind}s`}>{kind === "capture" ? "Captures" : "Materializations"}</Link>
            </p>
            <PageHead
                title={task.task}
                lead={
                    task.committed_at ? (
                        <>
                            Last commit <Ago at={task.committed_at} />
                        </>
                    ) : (
                        "Nothing was committed yet"
                    )
                }
                actions={<TaskBadge state={task.state} />}
            />
            {error && (
                <Notice kind="error" title="It failed">
                    {error.message}
                    {error.at && (
                        <p>
                            That was <Ago at={error.at} />.
                        </p>
                    )}
                    {task.next_at && <p>The next try: {moment(Date.parse(task.next_at))}.</p>}
                </Notice>
            )}
            {damage && (
                <Notice kind="error" title="Its commit log cannot be read">
                    {damage.message}
                </Notice>
            )}
            <div className="charts">
                <Chart title="Throughput" summary={`${about(Math.round(live?.documents_per_second ?? 0))} documents a second just now`} at={samples.at} values={samples.rate} format={perSecond} />
                <Chart least={1000} title="Lag" summary={live?.lag_ms != null ? `${duration(live.lag_ms)} just now` : "not known just now"} at={samples.at} values={samples.lag} format={seconds} axis={span} />
            </div>
            {session && (
                <p className="quiet">
                    Session {count(session.number)} {session.outcome}, begun <Ago at={session.started_at} />: {count(session.documents)} documents, {bytes(session.bytes)}.
                    {task.next_at && session.outcome !== "running" && (
                        <>
                            {" "}
                            The next begins <Ago at={task.next_at} />.
                        </>
                    )}
                </p>
            )}
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
                                    <th className="number">Size</th>
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
                                            {part.damage ? "damaged" : count(part.documents ?? 0)}
                                        </td>
                                        <td className="number" data-label="Size">
                                            {bytes(part.bytes ?? 0)}
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
        </>
    );
}
