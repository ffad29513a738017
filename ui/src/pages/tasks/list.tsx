// All captures, or all materializations, as they are just now.
import { useState } from "react";
import { Link } from "wouter";
import { sum, TASK_PATHS, useStatus, type TaskKind, type TaskStatus } from "../../api/tasks";
import { Ago } from "../../parts/ago";
import { Commands, Empty, Notice, PageHead } from "../../parts/basics";
import { TaskBadge } from "../../parts/taskstate";
import { about, bytes, count, duration, known } from "../../parts/time";

const DEPLOY = "firth deploy flow.yaml";

const WORDS: Record<TaskKind, { title: string; lead: string; none: string; empty: string; commands: string }> = {
    capture: {
        title: "Captures",
        lead: "Each brings documents into collections.",
        none: "No capture is deployed",
        empty: "Captures come from a catalog. The first command asks a connector what it has and writes one; the second gives it to this daemon.",
        commands: `firth discover --connector source-faker flow.yaml\n${DEPLOY}`,
    },
    connection: {
        title: "Connections of catalogs",
        lead: "Each moves a source's streams to a destination, as a catalog says that was deployed.",
        none: "No catalog with connections is deployed",
        empty: "A catalog's connections come here once it is deployed. Those that are set up in these pages are under Connections.",
        commands: DEPLOY,
    },
    materialization: {
        title: "Materializations",
        lead: "Each keeps an endpoint up to date with collections.",
        none: "No materialization is deployed",
        empty: "Materializations come from a catalog: write which collections an endpoint is to have, under materializations, and deploy it.",
        commands: DEPLOY,
    },
};

/** Null: that is not known, for one of its logs cannot be read. */
function documentsOf(task: TaskStatus): number | null {
    return (task.kind === "capture" || !task.kind ? task.collections : (task.streams ?? [])).map((part) => part.documents).reduce(sum, 0);
}

/** A task that is not deployed any more is known by what it wrote; those of connections write nothing here. */
function kindOf(task: TaskStatus): TaskKind | undefined {
    return task.kind ?? (task.collections.length > 0 ? "capture" : undefined);
}

function Row({ task, kind }: { task: TaskStatus; kind: TaskKind }) {
    const live = task.live;
    return (
        <tr>
            <td className="title">
                <Link href={`${TASK_PATHS[kind]}/${task.task}`}>{task.task}</Link>
            </td>
            <td data-label="State">
                <TaskBadge state={task.state} />
            </td>
            <td className="number" data-label="Documents">
                {known(documentsOf(task), count)}
            </td>
            <td className="number" data-label="Now">
                {live ? `${known(live.documents_per_second, about)}/s, ${known(live.bytes_per_second, bytes)}/s` : "–"}
            </td>
            <td className="number" data-label="Lag">
                {known(live?.lag_ms, duration)}
            </td>
            <td data-label="Last commit">
                <Ago at={task.committed_at} />
            </td>
        </tr>
    );
}

export function TaskList({ kind }: { kind: TaskKind }) {
    const status = useStatus();
    const [search, setSearch] = useState("");
    const words = WORDS[kind];
    const tasks = (status.data ?? []).filter((task) => kindOf(task) === kind);
    const shown = tasks.filter((task) => task.task.toLowerCase().includes(search.trim().toLowerCase()));
    return (
        <>
            <PageHead title={words.title} lead={words.lead} />
            {status.error && <Notice kind="error">{status.error.message}</Notice>}
            {status.data && tasks.length === 0 && (
                <Empty title={words.none} action={<Commands>{words.commands}</Commands>}>
                    {words.empty}
                </Empty>
            )}
            {tasks.length > 0 && (
                <>
                    <div className="toolbar" role="search">
                        <input type="search" aria-label={`Search ${kind}s`} placeholder="Search by name" value={search} onChange={(event) => setSearch(event.target.value)} />
                    </div>
                    <div className="card table-frame">
                        <table className="stacked">
                            <thead>
                                <tr>
                                    <th>Name</th>
                                    <th>State</th>
                                    <th className="number">Documents</th>
                                    <th className="number">Now</th>
                                    <th className="number">Lag</th>
                                    <th>Last commit</th>
                                </tr>
                            </thead>
                            <tbody>
                                {shown.map((task) => (
                                    <Row key={task.task} task={task} kind={kind} />
                                ))}
                            </tbody>
                        </table>
                        {shown.length === 0 && <p className="nothing quiet">None is called that.</p>}
                    </div>
                </>
            )}
        </>
    );
}
