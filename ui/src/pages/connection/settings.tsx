// When a connection runs and under which names it writes; and its end.
import { useState, type FormEvent } from "react";
import type { Connection } from "../../api/jobs";
import { Button, Notice } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { ConnectionFields, type ConnectionDraft } from "../../parts/connectionfields";

interface Props {
    connection: Connection;
    busy: boolean;
    onSave: (draft: ConnectionDraft, onSaved: () => void) => void;
    onDelete: () => void;
}

export function ConnectionSettings({ connection, busy, onSave, onDelete }: Props) {
    const [draft, setDraft] = useState<ConnectionDraft>({
        name: connection.name,
        scheduleType: connection.scheduleType ?? "manual",
        scheduleData: connection.scheduleData,
        namespaceDefinition: connection.namespaceDefinition,
        namespaceFormat: connection.namespaceFormat ?? "${SOURCE_NAMESPACE}",
        prefix: connection.prefix ?? "",
        nonBreakingChangesPreference: connection.nonBreakingChangesPreference,
    });
    const [saved, setSaved] = useState(false);
    const [asking, setAsking] = useState(false);
    const moves =
        draft.prefix !== (connection.prefix ?? "") ||
        draft.namespaceDefinition !== connection.namespaceDefinition ||
        (draft.namespaceDefinition === "customformat" && draft.namespaceFormat !== connection.namespaceFormat);

    function submit(event: FormEvent) {
        event.preventDefault();
        setSaved(false);
        onSave({ ...draft, name: draft.name.trim() }, () => setSaved(true));
    }

    return (
        <>
            <form className="card padded fields narrow" onSubmit={submit}>
                <ConnectionFields
                    draft={draft}
                    example={connection.syncCatalog.streams[0]?.stream.name ?? "users"}
                    onChange={(next) => {
                        setSaved(false);
                        setDraft(next);
                    }}
                />
                {moves && <Notice kind="warning">Under other names the next sync begins new tables. Those that are there stay, and are not written any more.</Notice>}
                {saved && <Notice kind="success">Saved.</Notice>}
                <div className="actions">
                    <Button kind="primary" type="submit" busy={busy}>
                        Save settings
                    </Button>
                </div>
            </form>
            <section className="card padded fields narrow">
                <h2>Delete this connection</h2>
                <p className="quiet">Its history and its state go with it. What it has written at the destination stays, and so do the source and the destination.</p>
                <div className="actions">
                    <Button kind="danger" onClick={() => setAsking(true)}>
                        Delete connection
                    </Button>
                </div>
            </section>
            {asking && (
                <Confirm title="Delete this connection?" action="Delete" busy={busy} onConfirm={onDelete} onClose={() => setAsking(false)}>
                    <p>
                        The history and the state of <strong>{connection.name}</strong> are lost: one that is made again under the same name begins anew. What it has written stays.
                    </p>
                </Confirm>
            )}
        </>
    );
}
