// A connection: how it is, its streams, its settings; and what one can do with it.
import { useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";
import { isGone } from "../../api/client";
import { hasEnded, SYNC, useAct, useConnection, useHistory } from "../../api/jobs";
import { Ago } from "../../parts/ago";
import { Button, Missing, Notice, PageHead, Problem, Switch } from "../../parts/basics";
import { forgetDrafts } from "../../parts/draft";
import { scheduleText } from "../../parts/schedule";
import { Tabs } from "../../parts/tabs";
import { Overview } from "./overview";
import { ConnectionSettings } from "./settings";
import { Streams } from "./streams";

export default function ConnectionPage() {
    const { id = "", part = "" } = useParams<{ id: string; part?: string }>();
    const [, go] = useLocation();
    // Nothing is asked of a connection that is being deleted.
    const [going, setGoing] = useState(false);
    const connection = useConnection(id, !going);
    const gone = isGone(connection.error);
    const history = useHistory(id, !going && !gone);
    const act = useAct(id);
    // Why the first sync of one that was just made could not be begun.
    const unsynced = useHistoryState<{ unsynced?: string } | null>()?.unsynced;

    if (connection.error && (gone || !connection.data))
        return (
            <Missing title="This connection cannot be shown" to="/connections" place="All connections">
                {connection.error.message}
            </Missing>
        );
    if (!connection.data) return <div aria-busy="true" />;
    const { name, source, destination, status, schemaChange, statusReason, scheduleType, scheduleData } = connection.data;
    const newest = history.data?.jobs[0];
    const running = newest && !hasEnded(newest) ? newest : undefined;
    // That one runs is no news where nothing was known.
    const known = history.data ? "known" : "unknown";
    const nextRunAt = history.data?.nextRunAt;
    const base = `/connections/${id}`;

    function remove() {
        setGoing(true);
        act.mutate({ path: "connections/delete", body: { connectionId: id } }, { onSuccess: leave, onError: () => setGoing(false) });
    }

    function leave() {
        forgetDrafts(id);
        go("/connections");
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
                        <Link href={`/destinations/${connection.data.destinationId}`}>{destination.name}</Link>, {scheduleText(scheduleType, scheduleData)}
                        {nextRunAt && (
                            <>
                                ; next run <Ago at={nextRunAt * 1000} />
                            </>
                        )}
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
                            <Button key={known} kind="danger" busy={act.isPending} onClick={() => act.mutate({ path: "jobs/cancel", body: { id: running.id } })}>
                                Cancel
                            </Button>
                        ) : (
                            <Button
                                key={known}
                                kind="primary"
                                busy={act.isPending}
                                disabled={status !== "active"}
                                onClick={() => act.mutate({ path: SYNC, body: { connectionId: id } })}
                            >
                                Sync now
                            </Button>
                        )}
                    </>
                }
            />
            <Tabs
                label="Of this connection"
                tabs={[
                    [base, "Overview"],
                    [`${base}/streams`, "Streams"],
                    [`${base}/settings`, "Settings"],
                ]}
            />
            <Problem error={act.error} />
            {unsynced && history.data?.jobs.length === 0 && (
                <Notice kind="error" title="The first sync could not be begun">
                    {unsynced}
                </Notice>
            )}
            {statusReason && <Notice kind="warning">It was switched off: {statusReason}.</Notice>}
            {schemaChange === "breaking" && (
                <Notice kind="warning" title="The source's schema has changed" actions={<Link href={`${base}/streams`} className="button">Look at the streams</Link>}>
                    A stream or a field that this connection needs is gone or different. Nothing is synced until somebody has looked at it: ask the source, choose anew, save.
                </Notice>
            )}
            {part === "" && (
                <Overview
                    connection={connection.data}
                    history={history.data}
                    error={history.error}
                    busy={act.isPending}
                    onRedo={({ path, body }) => act.mutate({ path: `connections/${path}`, body: { connectionId: id, ...body } })}
                />
            )}
            {part === "streams" && <Streams key={id} connection={connection.data} />}
            {part === "settings" && (
                <ConnectionSettings
                    key={id}
                    connection={connection.data}
                    busy={act.isPending}
                    running={running !== undefined}
                    onCancel={() => running && act.mutate({ path: "jobs/cancel", body: { id: running.id } })}
                    onSave={(draft, onSaved) => act.mutate({ path: "connections/update", body: { connectionId: id, ...draft } }, { onSuccess: onSaved })}
                    onDelete={remove}
                />
            )}
        </>
    );
}
