// The question before streams are read again or cleared: what is lost, what stays.
import { useState } from "react";
import type { StreamChoice } from "../../api/streams";
import { Confirm } from "../../parts/confirm";
import { streamName } from "./progress";

/** A call of the API: its path behind connections/, and what it is given. */
export interface Redoing {
    path: string;
    body: object;
}

interface Props {
    what: "refresh" | "clear";
    streams: StreamChoice[];
    all: boolean;
    busy: boolean;
    onDo: (doing: Redoing) => void;
    onClose: () => void;
}

const NAMES_SHOWN = 5;

export function names(streams: StreamChoice[]): string {
    const shown = streams.slice(0, NAMES_SHOWN).map(streamName).join(", ");
    return streams.length > NAMES_SHOWN ? `${shown} and ${streams.length - NAMES_SHOWN} more` : shown;
}

export function Redo({ what, streams, all, busy, onDo, onClose }: Props) {
    const [mode, setMode] = useState<"Truncate" | "Merge">("Truncate");
    const list = streams.map(({ stream }) => ({ streamName: stream.name, streamNamespace: stream.namespace }));
    const title = `${what === "clear" ? "Clear" : "Read again:"} ${all ? "all streams" : streams.length === 1 ? streamName(streams[0]!) : `${streams.length} streams`}?`;
    if (what === "clear")
        return (
            <Confirm title={title} action="Clear" busy={busy} onConfirm={() => onDo({ path: "clear/stream", body: { streams: list } })} onClose={onClose}>
                <p>
                    The rows of <strong>{names(streams)}</strong> at the destination are deleted, and where the source was read to is forgotten. Nothing is read now; the next sync
                    reads everything. Rows that the source does not have any more are gone for good.
                </p>
            </Confirm>
        );
    return (
        <Confirm title={title} action="Read again" busy={busy} onConfirm={() => onDo({ path: "refresh", body: { refreshMode: mode, streams: list } })} onClose={onClose}>
            <p>
                <strong>{names(streams)}</strong>: where the source was read to is forgotten, and everything is read from the beginning, now. The other streams are synced as always.
            </p>
            <fieldset className="radios">
                <legend>Rows that are at the destination</legend>
                <label>
                    <input type="radio" name="mode" checked={mode === "Truncate"} onChange={() => setMode("Truncate")} />
                    <span>
                        are replaced once the stream is complete. Rows that the source does not have any more are <strong>lost</strong>.
                    </span>
                </label>
                <label>
                    <input type="radio" name="mode" checked={mode === "Merge"} onChange={() => setMode("Merge")} />
                    <span>stay, and what is read comes to them. Where rows have no key they will be there twice.</span>
                </label>
            </fieldset>
        </Confirm>
    );
}
