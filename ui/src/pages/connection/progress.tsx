// The streams of a connection and what its newest job has moved of each, live while it runs. Some of them can be chosen, to
// be read again or cleared.
import { memo } from "react";
import type { JobDetails, Stats } from "../../api/jobs";
import { hasEnded } from "../../api/jobs";
import { streamId, type StreamChoice } from "../../api/streams";
import { bytes, count } from "../../parts/time";

export function streamName({ stream }: StreamChoice): string {
    return stream.namespace ? `${stream.namespace}.${stream.name}` : stream.name;
}

function statsByStream(newest: JobDetails | undefined): Map<string, Stats> {
    const attempt = newest?.attempts[newest.attempts.length - 1];
    return new Map((attempt?.streamStats ?? []).map((stream) => [streamId({ name: stream.streamName, namespace: stream.streamNamespace }), stream.stats]));
}

function Bar({ stats, running, name }: { stats: Stats | undefined; running: boolean; name: string }) {
    const estimate = stats?.estimatedRecords ?? 0;
    const read = stats?.recordsEmitted ?? 0;
    if (!running || estimate <= 0) return null;
    return <progress aria-label={`Of ${name}, read so far`} max={estimate} value={Math.min(read, estimate)} />;
}

/** What a job that has run moved; of one that is not known yet nothing is said. */
function Moved({ label, value, known, format }: { label: string; value: number | undefined; known: boolean; format: (value: number) => string }) {
    return (
        <td className="number" data-label={label}>
            {known ? format(value ?? 0) : "–"}
        </td>
    );
}

interface RowProps {
    choice: StreamChoice;
    known: boolean;
    stats: Stats | undefined;
    running: boolean;
    chosen: boolean;
    onChoose: (id: string, chosen: boolean) => void;
}

const Row = memo(function Row({ choice, known, stats, running, chosen, onChoose }: RowProps) {
    const name = streamName(choice);
    return (
        <tr>
            <td className="choose">
                <input type="checkbox" aria-label={`Choose ${name}`} checked={chosen} onChange={(event) => onChoose(streamId(choice.stream), event.target.checked)} />
            </td>
            <td className="title">{name}</td>
            <Moved label="Records read" value={stats?.recordsEmitted} known={known} format={count} />
            <Moved label="Records committed" value={stats?.recordsCommitted} known={known} format={count} />
            <Moved label="Committed" value={stats?.bytesCommitted} known={known} format={bytes} />
            <td>
                <Bar stats={stats} running={running} name={name} />
            </td>
        </tr>
    );
});

interface Props {
    streams: StreamChoice[];
    newest: JobDetails | undefined;
    chosen: ReadonlySet<string>;
    onChoose: (id: string, chosen: boolean) => void;
    onChooseAll: (chosen: boolean) => void;
}

export function Progress({ streams, newest, chosen, onChoose, onChooseAll }: Props) {
    const running = newest !== undefined && !hasEnded(newest.job);
    const stats = statsByStream(newest);
    return (
        <div className="card table-frame">
            <table className="stacked progress">
                <thead>
                    <tr>
                        <th>
                            <input
                                type="checkbox"
                                aria-label="Choose every stream"
                                checked={streams.length > 0 && chosen.size === streams.length}
                                onChange={(event) => onChooseAll(event.target.checked)}
                            />
                        </th>
                        <th>Stream</th>
                        <th className="number">Records read</th>
                        <th className="number">Records committed</th>
                        <th className="number">Committed</th>
                        <th>
                            <span className="sr-only">Progress</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {streams.map((choice) => {
                        const id = streamId(choice.stream);
                        return <Row key={id} choice={choice} known={newest !== undefined} stats={stats.get(id)} running={running} chosen={chosen.has(id)} onChoose={onChoose} />;
                    })}
                </tbody>
            </table>
        </div>
    );
}
