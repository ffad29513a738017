// One side of a new connection: one that is there already, or a new one of a connector that is chosen here.
import { useMemo, useState } from "react";
import { checkConfig, useActors, useCreateActor, useDefinitions, type Definition, type Side } from "../../api/actors";
import { useSession } from "../../app/session";
import { ActorForm } from "../../forms/actorform";
import { Button, Notice } from "../../parts/basics";
import { ConnectorMark, whatItIs } from "../../parts/connector";

const WORDS: Record<Side, { title: string; lead: string }> = {
    source: { title: "Where does the data come from?", lead: "Choose a source that is there, or a connector for a new one." },
    destination: { title: "Where does it go?", lead: "Choose a destination that is there, or a connector for a new one." },
};

function matches(text: string, search: string): boolean {
    return text.toLowerCase().includes(search.trim().toLowerCase());
}

function NewActor({ side, definition, onDone, onBack }: { side: Side; definition: Definition; onDone: (id: string) => void; onBack: () => void }) {
    const { workspaceId } = useSession();
    const create = useCreateActor(side);
    return (
        <section className="card padded narrow">
            <div className="chosen">
                <ConnectorMark name={definition.name} />
                <div>
                    <h2>{definition.name}</h2>
                    <p className="quiet">{whatItIs(definition)}</p>
                </div>
                <Button onClick={onBack}>Choose another</Button>
            </div>
            <ActorForm
                key={definition.id}
                side={side}
                draftKey={`actor:${side}:new:${definition.id}`}
                definitionId={definition.id}
                startName={definition.name}
                action="Test and go on"
                check={(_name, config, signal) => checkConfig(side, definition.id, workspaceId, config, signal)}
                keep={async (name, config) => onDone((await create.mutateAsync({ definitionId: definition.id, name, config })).id)}
            />
        </section>
    );
}

interface Props {
    side: Side;
    /** The connector that is chosen, from the page's address. */
    definitionId: string | undefined;
    onDefinition: (id: string | undefined) => void;
    onDone: (id: string) => void;
}

export function ActorStep({ side, definitionId, onDefinition, onDone }: Props) {
    const definitions = useDefinitions(side);
    const actors = useActors(side);
    const [search, setSearch] = useState("");
    const chosen = definitions.data?.find((definition) => definition.id === definitionId);
    const shown = useMemo(
        () => (definitions.data ?? []).filter((definition) => matches(`${definition.name} ${definition.repository} ${definition.summary ?? ""}`, search)),
        [definitions.data, search],
    );
    const there = (actors.data ?? []).filter((actor) => matches(`${actor.name} ${actor.definitionName}`, search));
    const error = definitions.error ?? actors.error;
    if (error && !(definitions.data && actors.data)) return <Notice kind="error">{error.message}</Notice>;
    if (chosen) return <NewActor side={side} definition={chosen} onDone={onDone} onBack={() => onDefinition(undefined)} />;
    return (
        <>
            <h2>{WORDS[side].title}</h2>
            <p className="quiet">{WORDS[side].lead}</p>
            <div className="toolbar" role="search">
                <input
                    type="search"
                    aria-label={`Search ${side}s and connectors`}
                    placeholder="Search"
                    value={search}
                    onChange={(event) => setSearch(event.target.value)}
                />
            </div>
            {there.length > 0 && (
                <>
                    <h3>There already</h3>
                    <ul className="choices">
                        {there.map((actor) => (
                            <li key={actor.id}>
                                <button type="button" className="choice" onClick={() => onDone(actor.id)}>
                                    <ConnectorMark name={actor.definitionName} />
                                    <span>
                                        <strong>{actor.name}</strong>
                                        <span className="quiet">{actor.definitionName}</span>
                                    </span>
                                </button>
                            </li>
                        ))}
                    </ul>
                </>
            )}
            <h3>A new {side}</h3>
            <ul className="choices">
                {shown.map((definition) => (
                    <li key={definition.id}>
                        <button type="button" className="choice" onClick={() => onDefinition(definition.id)}>
                            <ConnectorMark name={definition.name} />
                            <span>
                                <strong>{definition.name}</strong>
                                <span className="quiet">{whatItIs(definition)}</span>
                            </span>
                        </button>
                    </li>
                ))}
            </ul>
            {definitions.data && shown.length === 0 && (
                <p className="nothing quiet">No connector is called that. Custom ones are added under Connectors, or with firth connectors add.</p>
            )}
        </>
    );
}
