// The streams of a connection and what its newest job has moved of each, live while it runs.
import type { JobWithAttempts, Stats } from "../../api/jobs";
import { hasEnded } from "../../api/jobs";
import type { StreamChoice } from "../../api/streams";
import { bytes, count } from "../../parts/time";

function statsOf(newest: JobWithAttempts | undefined, choice: StreamChoice): Stats | undefined {
    const attempt = newest?.attempts[newest.attempts.length - 1];
    return attempt?.streamStats?.find(
        (stream) => stream.streamName === choice.stream.name && (stream.streamNamespace ?? "") === (choice.stream.namespace ?? ""),
    )?.stats;
}

function Bar({ stats, running, name }: { stats: Stats | undefined; running: boolean; name: string }) {
    const estimate = stats?.estimatedRecords ?? 0;
    const read = stats?.recordsEmitted ?? 0;
    if (!running || estimate <= 0) return null;
    return <progress aria-label={`Of ${name}, read so far`} max={estimate} value={Math.min(read, estimate)} />;
}

export function Progress({ streams, newest }: { streams: StreamChoice[]; newest: JobWithAttempts | undefined }) {
    const running = newest !== undefined && !hasEnded(newest.job);
    const selected = streams.filter((choice) => choice.config.selected);
    return (
        <div className="card table-frame">
            <table className="stacked">
                <thead>
                    <tr>
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
                    {selected.map((choice) => {
                        const stats = statsOf(newest, choice);
                        const name = choice.stream.namespace ? `${choice.stream.namespace}.${choice.stream.name}` : choice.stream.name;
                        return (
                            <tr key={name}>
                                <td className="title">{name}</td>
                                <td className="number" data-label="Records read">
                                    {count(stats?.recordsEmitted ?? 0)}
                                </td>
                                <td className="number" data-label="Records committed">
                                    {count(stats?.recordsCommitted ?? 0)}
                                </td>
                                <td className="number" data-label="Committed">
                                    {bytes(stats?.bytesCommitted ?? 0)}
                                </td>
                                <td>
                                    <Bar stats={stats} running={running} name={name} />
                                </td>
                            </tr>
                        );
                    })}
                </tbody>
            </table>
        </div>
    );
}
