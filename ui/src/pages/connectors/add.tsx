// A connector of one's own: by an image that podman or docker runs, by a manifest of the low-code kind, or by a command.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ChangeEvent, type FormEvent } from "react";
import { Link } from "wouter";
import type { Side } from "../../api/actors";
import { config, firth } from "../../api/client";
import { useSession } from "../../app/session";
import { Button, Commands, Field, Notice, Problem } from "../../parts/basics";

type How = "image" | "manifest" | "command";

interface Made {
    how: How;
    side: Side;
    name: string;
    image: string;
    manifest: string;
    /** Its words, one a line. */
    command: string;
}

const NOTHING: Made = { how: "image", side: "source", name: "", image: "", manifest: "", command: "" };

function wordsOf(command: string): string[] {
    return command.split("\n").map((word) => word.trim()).filter((word) => word !== "");
}

function useAdd(onDone: () => void) {
    const { workspaceId } = useSession();
    const client = useQueryClient();
    return useMutation({
        mutationFn: ({ how, side, name, image, manifest, command }: Made) => {
            if (how === "manifest") return firth.post("manifests", { name: name.trim(), manifest });
            if (how === "command") return firth.post("commands", { name: name.trim(), kind: side, command: wordsOf(command) });
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
            onDone();
            return client.invalidateQueries({ queryKey: ["definitions"] });
        },
    });
}

function Manifest({ value, onChange }: { value: string; onChange: (text: string) => void }) {
    const file = useRef<HTMLInputElement>(null);

    async function take(event: ChangeEvent<HTMLInputElement>) {
        const chosen = event.target.files?.[0];
        event.target.value = "";
        if (chosen) onChange(await chosen.text());
    }

    return (
        <div className="field long-text">
            <label htmlFor="manifest">
                Manifest<span aria-hidden="true"> *</span>
            </label>
            <textarea
                id="manifest"
                rows={10}
                required
                spellCheck={false}
                value={value}
                placeholder={"version: 6.5.0\ntype: DeclarativeSource\n…"}
                onChange={(event) => onChange(event.target.value)}
            />
            <input ref={file} type="file" accept=".yaml,.yml,.json" aria-label="A file with the manifest" hidden onChange={(event) => void take(event)} />
            <Button onClick={() => file.current?.click()}>From a file…</Button>
        </div>
    );
}

/** Typed as in a shell, on one line: a program is looked for that is called all of that. */
function isOneLine(command: string): boolean {
    return /\s/.test(wordsOf(command)[0] ?? "");
}

function onLines(command: string): string {
    const [program = "", ...rest] = wordsOf(command);
    return [...program.split(/\s+/), ...rest].join("\n");
}

function Command({ value, onChange }: { value: string; onChange: (text: string) => void }) {
    return (
        <div className="field">
            <label htmlFor="command">
                Command<span aria-hidden="true"> *</span>
            </label>
            <textarea
                id="command"
                rows={4}
                required
                spellCheck={false}
                value={value}
                aria-describedby="command-help"
                placeholder={"/usr/bin/python3\n/opt/connectors/shop.py"}
                onChange={(event) => onChange(event.target.value)}
            />
            <p className="help" id="command-help">
                First the program, by its whole path or as PATH has it; then what it is called with, each word on a line of its own. There is no shell: spaces and quotes stand for
                themselves. It is asked for its spec at once.
            </p>
            {isOneLine(value) && (
                <div className="in-row" role="status">
                    <p className="problem">The first line is one word, with spaces in it.</p>
                    <Button onClick={() => onChange(onLines(value))}>A line for each word</Button>
                </div>
            )}
        </div>
    );
}

export function AddConnector() {
    const { allowCommands, defaultPassword } = useSession();
    const [made, setMade] = useState<Made>(NOTHING);
    const [added, setAdded] = useState("");
    const add = useAdd(() => {
        setAdded(made.name.trim());
        setMade({ ...NOTHING, how: made.how, side: made.side });
    });

    function change(part: Partial<Made>) {
        setMade({ ...made, ...part });
        setAdded("");
        if (add.error) add.reset();
    }

    function submit(event: FormEvent) {
        event.preventDefault();
        add.mutate(made);
    }

    return (
        <form className="card padded fields narrow" onSubmit={submit}>
            <h2>Add a connector</h2>
            <fieldset className="radios">
                <legend>What runs it</legend>
                <label>
                    <input type="radio" name="how" checked={made.how === "image"} onChange={() => change({ how: "image" })} />
                    <span>An image, run by podman or docker</span>
                </label>
                <label>
                    <input type="radio" name="how" checked={made.how === "manifest"} onChange={() => change({ how: "manifest", side: "source" })} />
                    <span>A manifest of a low-code source, run by Firth itself</span>
                </label>
                {allowCommands && (
                    <label>
                        <input type="radio" name="how" checked={made.how === "command"} onChange={() => change({ how: "command" })} />
                        <span>A command of the machine that Firth runs on</span>
                    </label>
                )}
            </fieldset>
            {made.how !== "manifest" && (
                <div className="field">
                    <label htmlFor="side">Kind</label>
                    <select id="side" value={made.side} onChange={(event) => change({ side: event.target.value as Side })}>
                        <option value="source">Source</option>
                        <option value="destination">Destination</option>
                    </select>
                </div>
            )}
            <Field label="Name" value={made.name} required maxLength={200} onChange={(event) => change({ name: event.target.value })} />
            {made.how === "image" && (
                <Field label="Image" value={made.image} required placeholder="airbyte/source-pokeapi:latest" spellCheck={false} onChange={(event) => change({ image: event.target.value.trim() })} />
            )}
            {made.how === "manifest" && <Manifest value={made.manifest} onChange={(manifest) => change({ manifest })} />}
            {made.how === "command" && <Command value={made.command} onChange={(command) => change({ command })} />}
            {made.how === "command" && defaultPassword && (
                <Notice kind="warning">
                    With the password that everybody knows no command is added. Set another in the <Link href="/settings">settings</Link> first.
                </Notice>
            )}
            {!allowCommands && (
                <div className="help">
                    <p>A command of the machine is run as it is, so it is added there:</p>
                    <Commands>firth connectors add NAME --command COMMAND</Commands>
                    <p>
                        or here, where <code>firth serve</code> was begun with <code>--allow-commands</code>.
                    </p>
                </div>
            )}
            <Problem error={add.error} />
            {added && (
                <Notice kind="success">
                    {added} is there.{made.how === "image" && " Its image is pulled, and looked at, when it is first set up."}
                </Notice>
            )}
            <div className="actions">
                <Button kind="primary" type="submit" busy={add.isPending}>
                    Add
                </Button>
            </div>
        </form>
    );
}
