// When a connection runs, and under which names it writes: what is asked when it is set up, and may be changed later.
import type { ChangesPreference, NamespaceDefinition, ScheduleData, ScheduleType } from "../api/connections";
import { Field } from "./basics";
import { ScheduleFields } from "./schedule";

export interface ConnectionDraft {
    name: string;
    scheduleType: ScheduleType;
    scheduleData?: ScheduleData;
    namespaceDefinition: NamespaceDefinition;
    namespaceFormat: string;
    prefix: string;
    nonBreakingChangesPreference: ChangesPreference;
}

interface Props {
    draft: ConnectionDraft;
    /** What it is called if no name is given. */
    otherwise?: string;
    /** A stream, to show what the prefix makes of its name. */
    example: string;
    onChange: (draft: ConnectionDraft) => void;
}

export function ConnectionFields({ draft, otherwise, example, onChange }: Props) {
    return (
        <>
            <Field label="Name" value={draft.name} placeholder={otherwise} required={!otherwise} maxLength={200} onChange={(event) => onChange({ ...draft, name: event.target.value })} />
            <ScheduleFields type={draft.scheduleType} data={draft.scheduleData} onChange={(scheduleType, scheduleData) => onChange({ ...draft, scheduleType, scheduleData })} />
            <div className="field">
                <label htmlFor="namespace">Namespace at the destination</label>
                <select
                    id="namespace"
                    value={draft.namespaceDefinition}
                    onChange={(event) => onChange({ ...draft, namespaceDefinition: event.target.value as NamespaceDefinition })}
                >
                    <option value="destination">The destination's own</option>
                    <option value="source">As the source has it</option>
                    <option value="customformat">One of your choice</option>
                </select>
            </div>
            {draft.namespaceDefinition === "customformat" && (
                <Field
                    label="Namespace"
                    value={draft.namespaceFormat}
                    help="${SOURCE_NAMESPACE} stands for the source's."
                    onChange={(event) => onChange({ ...draft, namespaceFormat: event.target.value })}
                />
            )}
            <Field
                label="Prefix of stream names"
                value={draft.prefix}
                help={draft.prefix ? `${example} becomes ${draft.prefix}${example}.` : "Nothing: streams keep their names."}
                onChange={(event) => onChange({ ...draft, prefix: event.target.value })}
            />
            <div className="field">
                <label htmlFor="changes">When the source's schema changes</label>
                <select
                    id="changes"
                    value={draft.nonBreakingChangesPreference}
                    onChange={(event) => onChange({ ...draft, nonBreakingChangesPreference: event.target.value as ChangesPreference })}
                >
                    <option value="propagate_columns">Take over new fields</option>
                    <option value="propagate_fully">Take over new fields and streams</option>
                    <option value="ignore">Leave them out</option>
                    <option value="disable">Stop the connection until somebody has looked</option>
                </select>
            </div>
        </>
    );
}
