// The streams of a connection and what its newest job has moved of each, live while it runs. Some of them can be chosen, to
// be read again or cleared.
import { memo, useDeferredValue, useMemo, useState } from "react";
import type { JobDetails, Stats } from "../../api/jobs";
import { hasEnded } from "../../api/jobs";
import { streamId, type StreamChoice } from "../../api/streams";
import { Button } from "../../parts/basics";
import { bytes, count } from "../../parts/time";

/** So many are drawn at first, and with each "Show more". Fewer are not searched. */
const STEP = 50;

export function streamName({ stream }: StreamChoice): string {
    return stream.namespace ? `${stream.namespace}.${stream.name}` : stream.name;
}

function added(a: Stats | undefined, b: Stats): Stats {
    const sum = (of: (stats: Stats) => number | undefined) => ((a && of(a)) ?? 0) + (of(b) ?? 0);
    return {
        ...b,
        recordsEmitted: sum((stats) => stats.recordsEmitted),
        recordsCommitted: sum((stats) => stats.recordsCommitted),
        bytesCommitted: sum((stats) => stats.bytesCommitted),
    };
}

/** All attempts together: a stream that was complete in the first one is not read by the second. */
function statsByStream(newest: JobDetails | undefined): Map<string, Stats> {
    const found = new Map<string, Stats>();
    for (const { streamStats = [] } of newest?.attempts ?? [])
        for (const { streamName, streamNamespace, stats } of streamStats) {
            const id = streamId({ name: streamName, namespace: streamNamespace });
            found.set(id, added(found.get(id), stats));
        }
    return found;
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
    /** The newest job is of all streams; of another one, those that it did not touch have nothing to say. */
    ofAll: boolean;
    chosen: ReadonlySet<string>;
    onChoose: (id: string, chosen: boolean) => void;
    onChooseAll: (chosen: boolean, streams: StreamChoice[]) => void;
}

export function Progress({ streams, newest, ofAll, chosen, onChoose, onChooseAll }: Props) {
    const running = newest !== undefined && !hasEnded(newest.job);
    const stats = statsByStream(newest);
    const [search, setSearch] = useState("");
    const [most, setMost] = useState(STEP);
    const wanted = useDeferredValue(search.trim().toLowerCase());
    const found = useMemo(() => streams.filter((choice) => streamName(choice).toLowerCase().includes(wanted)), [streams, wanted]);
    const shown = found.slice(0, most);
    return (
        <>
            {streams.length > STEP && (
                <div className="toolbar" role="search">
                    <input type="search" aria-label="Search streams" placeholder="Search streams" value={search} onChange={(event) => setSearch(event.target.value)} />
                    <p className="quiet" role="status">
                        {found.length === streams.length ? `${count(streams.length)} in all` : `${count(found.length)} of ${count(streams.length)}`}
                    </p>
                </div>
            )}
            <div className="card table-frame">
                <table className="stacked progress">
                    <thead>
                        <tr>
                            <th>
                                <input
                                    type="checkbox"
                                    aria-label="Choose every stream"
                                    checked={found.length > 0 && found.every((choice) => chosen.has(streamId(choice.stream)))}
                                    onChange={(event) => onChooseAll(event.target.checked, found)}
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
                        {shown.map((choice) => {
                            const id = streamId(choice.stream);
                            return <Row key={id} choice={choice} known={newest !== undefined && (ofAll || stats.has(id))} stats={stats.get(id)} running={running} chosen={chosen.has(id)} onChoose={onChoose} />;
                        })}
                    </tbody>
                </table>
                {found.length === 0 && streams.length > 0 && <p className="nothing quiet">No stream is called that.</p>}
            </div>
            {found.length > most && (
                <p className="actions more">
                    <Button onClick={() => setMost(most + 2 * STEP)}>Show more</Button>
                    <span className="quiet">
                        The first {count(most)} of {count(found.length)}.
                    </span>
                </p>
            )}
        </>
    );
}
