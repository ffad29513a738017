// One source or destination: its configuration, the connections that use it, and its end.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { checkUpdate, useActor, useDeleteActor, useUpdateActor, type Side } from "../../api/actors";
import { isGone } from "../../api/client";
import { useConnections } from "../../api/connections";
import { ActorForm } from "../../forms/actorform";
import { Button, Missing, Notice, PageHead, Problem } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { forgetDrafts } from "../../parts/draft";
import { ConnectionBadge } from "../../parts/status";

export function ActorPage({ side }: { side: Side }) {
    const { id = "" } = useParams<{ id: string }>();
    const [, go] = useLocation();
    const actor = useActor(side, id);
    const connections = useConnections();
    const update = useUpdateActor(side);
    const remove = useDeleteActor(side);
    const [asking, setAsking] = useState(false);
    const [kept, setKept] = useState(false);
    // Who comes back to what was deleted does not find its form.
    const client = useQueryClient();
    const gone = useRef(false);
    useEffect(() => () => void (gone.current && client.removeQueries({ queryKey: ["actors", side, id] })), [client, side, id]);
    const users = (connections.data ?? []).filter((item) => (side === "source" ? item.source.id : item.destination.id) === id);

    function leave() {
        gone.current = true;
        forgetDrafts(id);
        go(`/${side}s`);
    }

    if (actor.error && (isGone(actor.error) || !actor.data))
        return (
            <Missing title={`This ${side} cannot be shown`} to={`/${side}s`} place={`All ${side}s`}>
                {actor.error.message}
            </Missing>
        );
    if (!actor.data) return <div aria-busy="true" />;
    return (
        <>
            <p className="quiet">
                <Link href={`/${side}s`}>{side === "source" ? "Sources" : "Destinations"}</Link>
            </p>
            <PageHead title={actor.data.name} lead={actor.data.definitionName} />
            {kept && <Notice kind="success">Tested and kept.</Notice>}
            <section className="card padded narrow">
                <ActorForm
                    key={id}
                    side={side}
                    draftKey={`actor:${side}:${id}`}
                    definitionId={actor.data.definitionId}
                    startName={actor.data.name}
                    startConfig={actor.data.config}
                    action="Test and keep"
                    reread={async () => {
                        const now = await actor.refetch({ throwOnError: true });
                        return { name: now.data!.name, config: now.data!.config };
                    }}
                    check={(name, config, signal) => {
                        setKept(false);
                        return checkUpdate(side, id, name, config, signal);
                    }}
                    keep={async (name, config) => {
                        await update.mutateAsync({ id, name, config });
                        setKept(true);
                    }}
                />
            </section>
            <section className="section">
                <h2>Its connections</h2>
                {users.length === 0 && <p className="quiet">None.</p>}
                <ul className="plain-list">
                    {users.map((item) => (
                        <li key={item.connectionId}>
                            <Link href={`/connections/${item.connectionId}`}>{item.name}</Link> <ConnectionBadge item={item} />
                        </li>
                    ))}
                </ul>
            </section>
            <Button kind="danger" onClick={() => setAsking(true)}>
                Delete this {side}
            </Button>
            {asking && (
                <Confirm
                    title={`Delete ${actor.data.name}?`}
                    action="Delete"
                    busy={remove.isPending}
                    onConfirm={() => remove.mutate(id, { onSuccess: leave, onSettled: () => setAsking(false) })}
                    onClose={() => setAsking(false)}
                >
                    {users.length > 0 ? `Its ${users.length === 1 ? "connection goes" : `${users.length} connections go`} with it. ` : ""}
                    What was written at destinations stays.
                </Confirm>
            )}
            <Problem error={remove.error} />
        </>
    );
}
