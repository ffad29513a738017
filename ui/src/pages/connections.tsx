// All connections at a glance: how each is, when it ran last, on or off.
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { useConnections, useEnable, useSync, type ConnectionItem, type ScheduleData } from "../api/connections";
import { Button, Empty, Notice, PageHead, Switch } from "../parts/basics";
import { ConnectionBadge, connectionState } from "../parts/status";
import { fromNow, moment } from "../parts/time";

function scheduleText(type: ConnectionItem["scheduleType"], data: ScheduleData | undefined): string {
    if (type === "basic" && data?.basicSchedule) {
        const { units, timeUnit } = data.basicSchedule;
        return units === 1 ? `every ${timeUnit.replace(/s$/, "")}` : `every ${units} ${timeUnit.replace(/s?$/, "s")}`;
    }
    if (type === "cron" && data?.cron) return data.cron.cronExpression;
    return "by hand";
}

function Row({ item, onProblem }: { item: ConnectionItem; onProblem: (message: string) => void }) {
    const enable = useEnable();
    const sync = useSync();
    const last = item.latestSyncJobCreatedAt;
    return (
        <tr>
            <td className="title">
                <Link href={`/connections/${item.connectionId}`}>{item.name}</Link>
            </td>
            <td data-label="Status">
                <ConnectionBadge item={item} />
            </td>
            <td data-label="From">{item.source.name}</td>
            <td data-label="To">{item.destination.name}</td>
            <td data-label="Runs">{scheduleText(item.scheduleType, item.scheduleData)}</td>
            <td data-label="Last run">{last ? <time title={moment(last * 1000)}>{fromNow(last * 1000)}</time> : "never"}</td>
            <td data-label="On">
                <Switch
                    label={`${item.name} is on`}
                    hideLabel
                    checked={item.status === "active"}
                    onChange={(enabled) =>
                        enable.mutate({ id: item.connectionId, enabled }, { onError: (error) => onProblem(error.message) })
                    }
                />
            </td>
            <td>
                <Button
                    busy={sync.isPending}
                    disabled={item.isSyncing || item.status !== "active"}
                    aria-label={`Sync ${item.name} now`}
                    onClick={() => sync.mutate(item.connectionId, { onError: (error) => onProblem(error.message) })}
                >
                    Sync now
                </Button>
            </td>
        </tr>
    );
}

export default function Connections() {
    const connections = useConnections();
    const [search, setSearch] = useState("");
    const [state, setState] = useState("");
    const [problem, setProblem] = useState<string | null>(null);
    const items = useMemo(() => connections.data ?? [], [connections.data]);
    const states = useMemo(() => [...new Set(items.map((item) => connectionState(item).word))].sort(), [items]);
    const shown = useMemo(() => {
        const wanted = search.trim().toLowerCase();
        return items.filter(
            (item) =>
                (!state || connectionState(item).word === state) &&
                [item.name, item.source.name, item.destination.name].some((text) => text.toLowerCase().includes(wanted)),
        );
    }, [items, search, state]);

    const setUp = (
        <Link href="/connections/new" className="button primary">
            Set up a connection
        </Link>
    );
    return (
        <>
            <PageHead title="Connections" lead="Each moves the streams of a source to a destination." actions={setUp} />
            {connections.error && <Notice kind="error">{connections.error.message}</Notice>}
            {problem && (
                <Notice kind="error" actions={<Button onClick={() => setProblem(null)}>Close</Button>}>
                    {problem}
                </Notice>
            )}
            {connections.data?.length === 0 && (
                <Empty title="No connection yet" action={setUp}>
                    Choose a source, choose a destination, and the first sync begins. It takes two minutes.
                </Empty>
            )}
            {items.length > 0 && (
                <>
                    <div className="toolbar" role="search">
                        <input
                            type="search"
                            aria-label="Search connections"
                            placeholder="Search by name, source or destination"
                            value={search}
                            onChange={(event) => setSearch(event.target.value)}
                        />
                        <select aria-label="Status" value={state} onChange={(event) => setState(event.target.value)}>
                            <option value="">Every status</option>
                            {states.map((word) => (
                                <option key={word}>{word}</option>
                            ))}
                        </select>
                    </div>
                    <div className="card table-frame">
                        <table className="stacked">
                            <thead>
                                <tr>
                                    <th>Connection</th>
                                    <th>Status</th>
                                    <th>From</th>
                                    <th>To</th>
                                    <th>Runs</th>
                                    <th>Last run</th>
                                    <th>On</th>
                                    <th>
                                        <span className="sr-only">Actions</span>
                                    </th>
                                </tr>
                            </thead>
                            <tbody>
                                {shown.map((item) => (
                                    <Row key={item.connectionId} item={item} onProblem={setProblem} />
                                ))}
                            </tbody>
                        </table>
                        {shown.length === 0 && <p className="nothing quiet">No connection is like that.</p>}
                    </div>
                </>
            )}
        </>
    );
}
