// All connectors: built in, and custom ones by image or manifest.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { useActors, useDefinitions, type Definition, type Side } from "../../api/actors";
import { config } from "../../api/client";
import { useSession } from "../../app/session";
import { Button, PageHead, Problem } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { ConnectorMark, whatItIs } from "../../parts/connector";
import { AddConnector } from "./add";

interface DeletingProps {
    side: Side;
    definition: Definition;
    busy: boolean;
    onConfirm: () => void;
    onClose: () => void;
}

/** The daemon deletes no connector that is in use: what has to go before it is told, and nothing can be pressed. */
function Deleting({ side, definition, busy, onConfirm, onClose }: DeletingProps) {
    const actors = useActors(side);
    const { refetch } = actors;
    useEffect(() => void refetch(), [refetch]);
    const users = (actors.data ?? []).filter((actor) => actor.definitionId === definition.id);
    const deletable = actors.error !== null || (!actors.isFetching && users.length === 0);
    return (
        <Confirm title={`Delete ${definition.name}?`} action={deletable ? "Delete" : undefined} busy={busy} onConfirm={onConfirm} onClose={onClose}>
            {users.length === 0 ? (
                <p aria-busy={!deletable}>{deletable ? "Nothing is set up with it." : "Looking what is set up with it…"}</p>
            ) : (
                <>
                    <p>It cannot be deleted yet, as it is in use. Delete first what is set up with it:</p>
                    <ul>
                        {users.map((user) => (
                            <li key={user.id}>
                                <Link href={`/${side}s/${user.id}`}>{user.name}</Link>
                            </li>
                        ))}
                    </ul>
                </>
            )}
        </Confirm>
    );
}

function DefinitionList({ side, search }: { side: Side; search: string }) {
    const { workspaceId } = useSession();
    const client = useQueryClient();
    const definitions = useDefinitions(side);
    const [asking, setAsking] = useState<Definition | null>(null);
    const remove = useMutation({
        mutationFn: (id: string) => config(`${side}_definitions/delete`, { workspaceId, [`${side}DefinitionId`]: id }),
        onSettled: () => {
            setAsking(null);
            return client.invalidateQueries({ queryKey: ["definitions"] });
        },
    });
    const wanted = search.trim().toLowerCase();
    const shown = (definitions.data ?? []).filter((definition) => `${definition.name} ${definition.repository} ${definition.summary ?? ""}`.toLowerCase().includes(wanted));
    const error = definitions.error ?? remove.error;
    return (
        <section className="section">
            <h2>{side === "source" ? "Sources" : "Destinations"}</h2>
            <Problem error={error} />
            <ul className="choices">
                {shown.map((definition) => (
                    <li key={definition.id} className="choice still">
                        <ConnectorMark name={definition.name} />
                        <span>
                            <strong>{definition.name}</strong>
                            {definition.summary && <span>{whatItIs(definition)}</span>}
                            <span className="quiet">
                                {definition.custom ? "custom" : "built in"}
                                {definition.repository && ` · ${definition.repository}:${definition.tag}`}
                            </span>
                        </span>
                        {definition.custom && (
                            <Button kind="danger" aria-label={`Delete ${definition.name}`} onClick={() => setAsking(definition)}>
                                Delete
                            </Button>
                        )}
                    </li>
                ))}
            </ul>
            {definitions.data && shown.length === 0 && <p className="nothing quiet">None is called that.</p>}
            {asking && (
                <Deleting side={side} definition={asking} busy={remove.isPending} onConfirm={() => remove.mutate(asking.id)} onClose={() => setAsking(null)} />
            )}
        </section>
    );
}

export default function Connectors() {
    const [search, setSearch] = useState("");
    return (
        <>
            <PageHead title="Connectors" lead="What Firth can read from and write to." />
            <div className="toolbar" role="search">
                <input type="search" aria-label="Search connectors" placeholder="Search" value={search} onChange={(event) => setSearch(event.target.value)} />
            </div>
            <DefinitionList side="source" search={search} />
            <DefinitionList side="destination" search={search} />
            <AddConnector />
        </>
    );
}
