// When a connection runs and under which names it writes; and its end.
import { useState, type FormEvent } from "react";
import type { Connection } from "../../api/jobs";
import { Button, Notice } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { ConnectionFields, type ConnectionDraft } from "../../parts/connectionfields";
import { useDraft } from "../../parts/draft";

interface Props {
    connection: Connection;
    busy: boolean;
    running: boolean;
    onCancel: () => void;
    /** What of it is to be changed. */
    onSave: (changes: Changes, onSaved: () => void) => void;
    onDelete: () => void;
}

type Changes = Partial<ConnectionDraft>;

interface SettingsDraft {
    unsaved: boolean;
    changes: Changes;
}

function savedOf(connection: Connection): ConnectionDraft {
    return {
        name: connection.name,
        scheduleType: connection.scheduleType ?? "manual",
        scheduleData: connection.scheduleData,
        namespaceDefinition: connection.namespaceDefinition,
        namespaceFormat: connection.namespaceFormat ?? "${SOURCE_NAMESPACE}",
        prefix: connection.prefix ?? "",
        nonBreakingChangesPreference: connection.nonBreakingChangesPreference,
    };
}

/** What is other than it was, and nothing else: the rest may be changed elsewhere meanwhile. */
function changesOf(draft: ConnectionDraft, saved: ConnectionDraft): Changes {
    const keys = Object.keys(draft) as (keyof ConnectionDraft)[];
    const changes: Changes = Object.fromEntries(keys.filter((key) => JSON.stringify(draft[key]) !== JSON.stringify(saved[key])).map((key) => [key, draft[key]]));
    // A schedule is its type and its data.
    return "scheduleType" in changes || "scheduleData" in changes ? { ...changes, scheduleType: draft.scheduleType, scheduleData: draft.scheduleData } : changes;
}

export function ConnectionSettings({ connection, busy, running, onCancel, onSave, onDelete }: Props) {
    const [kept, keep] = useDraft<SettingsDraft>(`settings:${connection.connectionId}`);
    const [saved, setSaved] = useState(false);
    const [asking, setAsking] = useState(false);
    const before = savedOf(connection);
    const draft = { ...before, ...kept?.changes };
    const moves =
        draft.prefix !== (connection.prefix ?? "") ||
        draft.namespaceDefinition !== connection.namespaceDefinition ||
        (draft.namespaceDefinition === "customformat" && draft.namespaceFormat !== connection.namespaceFormat);

    function submit(event: FormEvent) {
        event.preventDefault();
        setSaved(false);
        const changes = changesOf({ ...draft, name: draft.name.trim() }, before);
        onSave(changes, () => {
            keep(undefined);
            setSaved(true);
        });
    }

    return (
        <>
            <form className="card padded fields narrow" onSubmit={submit}>
                <ConnectionFields
                    draft={draft}
                    example={connection.syncCatalog.streams[0]?.stream.name ?? "users"}
                    onChange={(next) => {
                        const changes = changesOf(next, before);
                        setSaved(false);
                        keep(Object.keys(changes).length > 0 ? { unsaved: true, changes } : undefined);
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
                        {running && (
                            <>
                                <strong>A sync is running just now.</strong> It is cut off where it stands: rows that it has read and not written are not written any more.{" "}
                            </>
                        )}
                        The history and the state of <strong>{connection.name}</strong> are lost: one that is made again under the same name begins anew. What it has written stays.
                    </p>
                    {running && (
                        <p>
                            <Button busy={busy} onClick={onCancel}>
                                Cancel the sync first
                            </Button>
                        </p>
                    )}
                </Confirm>
            )}
        </>
    );
}
