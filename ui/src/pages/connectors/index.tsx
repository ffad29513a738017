// All connectors: built in, and custom ones by image or manifest.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useDefinitions, type Definition, type Side } from "../../api/actors";
import { config } from "../../api/client";
import { useSession } from "../../app/session";
import { Badge, Button, Field, Notice, PageHead } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { ConnectorMark } from "../../parts/connector";

function AddImage() {
    const { workspaceId } = useSession();
    const client = useQueryClient();
    const [side, setSide] = useState<Side>("source");
    const [name, setName] = useState("");
    const [image, setImage] = useState("");
    const add = useMutation({
        mutationFn: () => {
            const colon = image.lastIndexOf(":");
            const tagged = colon > image.lastIndexOf("/");
            return config(`${side}_definitions/create_custom`, {
                workspaceId,
                [`${side}Definition`]: {
                    name: name.trim(),
                    dockerRepository: tagged ? image.slice(0, colon) : image,
                    dockerImageTag: tagged ? image.slice(colon + 1) : "latest",
                },
            });
        },
        onSuccess: () => {
            setName("");
            setImage("");
            return client.invalidateQueries({ queryKey: ["definitions"] });
        },
    });

    function submit(event: FormEvent) {
        event.preventDefault();
        add.mutate();
    }

    return (
        <form className="card padded fields" onSubmit={submit}>
            <h2>Add a connector</h2>
            <p className="quiet">
                By its image, which podman or docker runs. Manifests and commands are added on the machine itself: <code>firth connectors add M.yaml</code>,{" "}
                <code>firth connectors add NAME -- COMMAND</code>.
            </p>
            <div className="field">
                <label htmlFor="side">Kind</label>
                <select id="side" value={side} onChange={(event) => setSide(event.target.value as Side)}>
                    <option value="source">Source</option>
                    <option value="destination">Destination</option>
                </select>
            </div>
            <Field label="Name" value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
            <Field label="Image" value={image} required placeholder="airbyte/source-pokeapi:latest" spellCheck={false} onChange={(event) => setImage(event.target.value.trim())} />
            {add.error && <Notice kind="error">{add.error.message}</Notice>}
            {add.isSuccess && <Notice kind="success">It is there.</Notice>}
            <div className="actions">
                <Button kind="primary" type="submit" busy={add.isPending}>
                    Add
                </Button>
            </div>
        </form>
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
    const shown = (definitions.data ?? []).filter((definition) => `${definition.name} ${definition.repository}`.toLowerCase().includes(wanted));
    const error = definitions.error ?? remove.error;
    return (
        <section className="section">
            <h2>{side === "source" ? "Sources" : "Destinations"}</h2>
            {error && <Notice kind="error">{error.message}</Notice>}
            <ul className="choices">
                {shown.map((definition) => (
                    <li key={definition.id} className="choice still">
                        <ConnectorMark name={definition.name} />
                        <span>
                            <strong>{definition.name}</strong>
                            <span className="quiet">
                                {definition.repository}:{definition.tag}
                            </span>
                        </span>
                        {definition.custom ? (
                            <Button kind="danger" aria-label={`Delete ${definition.name}`} onClick={() => setAsking(definition)}>
                                Delete
                            </Button>
                        ) : (
                            <Badge tone="good">built in</Badge>
                        )}
                    </li>
                ))}
            </ul>
            {definitions.data && shown.length === 0 && <p className="nothing quiet">None is called that.</p>}
            {asking && (
                <Confirm title={`Delete ${asking.name}?`} action="Delete" busy={remove.isPending} onConfirm={() => remove.mutate(asking.id)} onClose={() => setAsking(null)}>
                    Its {side}s and their connections go with it. What was written at destinations stays.
                </Confirm>
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
            <AddImage />
        </>
    );
}
