// All connections at a glance: how each is, when it ran last and runs next, on or off. Only the rows that are seen are
// drawn: there may be thousands.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, useDeferredValue, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import { useConnections, useEnable, useSync, type ConnectionItem } from "../api/connections";
import { TASK_PATHS } from "../api/tasks";
import { Ago } from "../parts/ago";
import { Button, Empty, Notice, PageHead, Problem, Switch } from "../parts/basics";
import { scheduleText } from "../parts/schedule";
import { SortHead, type Order } from "../parts/sorthead";
import { ConnectionBadge, connectionState } from "../parts/status";
import { count } from "../parts/time";

type Column = "name" | "status" | "from" | "to" | "last" | "next";

const COLLATOR = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const ROW_HEIGHT = 57;

const COMPARE: Record<Column, (a: ConnectionItem, b: ConnectionItem) => number> = {
    name: (a, b) => COLLATOR.compare(a.name, b.name),
    status: (a, b) => COLLATOR.compare(connectionState(a).word, connectionState(b).word),
    from: (a, b) => COLLATOR.compare(a.source.name, b.source.name),
    to: (a, b) => COLLATOR.compare(a.destination.name, b.destination.name),
    last: (a, b) => (b.latestSyncJobCreatedAt ?? 0) - (a.latestSyncJobCreatedAt ?? 0),
    next: (a, b) => (a.nextRunAt ?? Number.MAX_SAFE_INTEGER) - (b.nextRunAt ?? Number.MAX_SAFE_INTEGER),
};

function nextText(item: ConnectionItem): string {
    if (item.isSyncing) return "now";
    if (item.status !== "active") return "–";
    return item.scheduleType === "manual" || !item.scheduleType ? "by hand" : "–";
}

const Row = memo(function Row({ item, onProblem }: { item: ConnectionItem; onProblem: (error: Error) => void }) {
    const enable = useEnable();
    const sync = useSync();
    return (
        <>
            <td className="title">
                <Link href={`/connections/${item.connectionId}`}>{item.name}</Link>
            </td>
            <td data-label="Status">
                <ConnectionBadge item={item} />
            </td>
            <td className="name" data-label="From">{item.source.name}</td>
            <td className="name" data-label="To">{item.destination.name}</td>
            <td data-label="Last run">
                <Ago at={item.latestSyncJobCreatedAt && item.latestSyncJobCreatedAt * 1000} />
            </td>
            <td data-label="Next run" title={scheduleText(item.scheduleType, item.scheduleData)}>
                <Ago at={item.nextRunAt && item.nextRunAt * 1000} otherwise={nextText(item)} />
            </td>
            <td data-label="On">
                <Switch
                    label={`${item.name} is on`}
                    hideLabel
                    checked={item.status === "active"}
                    onChange={(enabled) => enable.mutate({ id: item.connectionId, enabled }, { onError: onProblem })}
                />
            </td>
            <td className="acts">
                <Button
                    once
                    busy={sync.isPending}
                    disabled={item.isSyncing || item.status !== "active"}
                    aria-label={`Sync ${item.name} now`}
                    onClick={() => sync.mutate(item.connectionId, { onError: onProblem })}
                >
                    Sync now
                </Button>
            </td>
        </>
    );
});

function Table({ items, order, onOrder, onProblem }: { items: ConnectionItem[]; order: Order<Column>; onOrder: (order: Order<Column>) => void; onProblem: (error: Error) => void }) {
    const body = useRef<HTMLTableSectionElement>(null);
    const [top, setTop] = useState(0);
    useLayoutEffect(() => setTop(body.current ? body.current.getBoundingClientRect().top + window.scrollY : 0), []);
    const rows = useWindowVirtualizer({
        count: items.length,
        estimateSize: () => ROW_HEIGHT,
        scrollMargin: top,
        overscan: 6,
        getItemKey: (index) => items[index]!.connectionId,
    });
    const seen = rows.getVirtualItems();
    const above = seen.length ? seen[0]!.start - top : 0;
    const below = seen.length ? rows.getTotalSize() - (seen[seen.length - 1]!.end - top) : 0;
    const head = (column: Column, label: string) => <SortHead column={column} order={order} onOrder={onOrder} label={label} />;
    return (
        <table className="stacked many" aria-rowcount={items.length + 1}>
            <thead>
                <tr>
                    {head("name", "Connection")}
                    {head("status", "Status")}
                    {head("from", "From")}
                    {head("to", "To")}
                    {head("last", "Last run")}
                    {head("next", "Next run")}
                    <th>On</th>
                    <th>
                        <span className="sr-only">Actions</span>
                    </th>
                </tr>
            </thead>
            <tbody ref={body}>
                {above > 0 && <tr className="room" aria-hidden="true" style={{ height: above }} />}
                {seen.map((row) => (
                    <tr key={row.key} data-index={row.index} aria-rowindex={row.index + 2} ref={rows.measureElement}>
                        <Row item={items[row.index]!} onProblem={onProblem} />
                    </tr>
                ))}
                {below > 0 && <tr className="room" aria-hidden="true" style={{ height: below }} />}
            </tbody>
        </table>
    );
}

export default function Connections() {
    const connections = useConnections();
    const [search, setSearch] = useState("");
    const [state, setState] = useState("");
    const [order, setOrder] = useState<Order<Column>>({ column: "name", down: false });
    const [problem, setProblem] = useState<Error | null>(null);
    const items = useMemo(() => connections.data ?? [], [connections.data]);
    const states = useMemo(() => [...new Set(items.map((item) => connectionState(item).word))].sort(), [items]);
    const wanted = useDeferredValue(search.trim().toLowerCase());
    const shown = useMemo(() => {
        const found = items.filter(
            (item) =>
                (!state || connectionState(item).word === state) &&
                [item.name, item.source.name, item.destination.name].some((text) => text.toLowerCase().includes(wanted)),
        );
        found.sort(COMPARE[order.column]);
        return order.down ? found.reverse() : found;
    }, [items, wanted, state, order]);

    const setUp = (
        <Link href="/connections/new" className="button primary">
            Set up a connection
        </Link>
    );
    return (
        <>
            <PageHead title="Connections" lead={
                    <>
                        Each moves the streams of a source to a destination. What catalogs have of them is under <Link href={TASK_PATHS.connection}>connections of catalogs</Link>.
                    </>
                } actions={setUp} />
            {connections.error && <Notice kind="error">{connections.error.message}</Notice>}
            <Problem error={problem} actions={<Button onClick={() => setProblem(null)}>Close</Button>} />
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
                        <p className="quiet" role="status">
                            {shown.length === items.length ? `${count(items.length)} in all` : `${count(shown.length)} of ${count(items.length)}`}
                        </p>
                    </div>
                    <div className="card table-frame">
                        <Table items={shown} order={order} onOrder={setOrder} onProblem={setProblem} />
                        {shown.length === 0 && <p className="nothing quiet">No connection is like that.</p>}
                    </div>
                </>
            )}
        </>
    );
}
