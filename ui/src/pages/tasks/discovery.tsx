// What a capture's source has now, asked of its connector: captured or not.
import { Link } from "wouter";
import { useDiscovery, type DiscoveredStream } from "../../api/tasks";
import { Badge, Button, Notice, type Tone } from "../../parts/basics";
import { count } from "../../parts/time";

function stateOf({ bound, enabled, found }: DiscoveredStream): [Tone, string] {
    if (!found) return ["bad", "Not there any more"];
    if (!bound) return ["off", "Not captured"];
    return enabled ? ["good", "Captured"] : ["off", "Switched off"];
}

function Row({ one }: { one: DiscoveredStream }) {
    const [tone, word] = stateOf(one);
    return (
        <tr>
            <td className="title">{one.stream}</td>
            <td data-label="State">
                <Badge tone={tone}>{word}</Badge>
            </td>
            <td data-label="Key">{one.key.length > 0 ? <code>{one.key.join(", ")}</code> : "–"}</td>
            <td data-label="Into">{one.target ? <Link href={`/collections/${one.target}`}>{one.target}</Link> : "–"}</td>
        </tr>
    );
}

export function Discovery({ task }: { task: string }) {
    const found = useDiscovery(task);
    const streams = found.data ?? [];
    const left = streams.filter((one) => !one.bound).length;
    return (
        <section className="section">
            <div className="section-head">
                <h2>What the source has</h2>
                <div className="actions push">
                    <Button busy={found.isFetching} onClick={() => void found.refetch()}>
                        {found.isFetching ? "Asking the connector…" : "Ask the connector"}
                    </Button>
                </div>
            </div>
            <p className="quiet hint" role="status">
                {found.data && !found.error
                    ? `${count(streams.length)} in all; ${left === 0 ? "each has its binding" : `${count(left)} not captured: firth discover gives them bindings, or autoDiscover with addNewBindings does`}.`
                    : "Streams are discovered anew; nothing is changed by it."}
            </p>
            {found.error && !found.isFetching && <Notice kind="error">{found.error.message}</Notice>}
            {streams.length > 0 && (
                <div className="card table-frame">
                    <table className="stacked" aria-label="What the source has">
                        <thead>
                            <tr>
                                <th>Stream</th>
                                <th>State</th>
                                <th>Key</th>
                                <th>Into</th>
                            </tr>
                        </thead>
                        <tbody>
                            {streams.map((one) => (
                                <Row key={one.stream} one={one} />
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
        </section>
    );
}
