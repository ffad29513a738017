// All sources, or all destinations.
import { useDeferredValue, useState } from "react";
import { Link } from "wouter";
import { useActors, type Side } from "../../api/actors";
import { Empty, Notice, PageHead } from "../../parts/basics";
import { ConnectorMark } from "../../parts/connector";
import { count } from "../../parts/time";

const LEADS: Record<Side, string> = { source: "Where data comes from. Each serves any number of connections.", destination: "Where data goes. Each serves any number of connections." };
/** Fewer are not searched. */
const MANY = 8;

export function ActorList({ side }: { side: Side }) {
    const actors = useActors(side);
    const [search, setSearch] = useState("");
    const wanted = useDeferredValue(search.trim().toLowerCase());
    const all = actors.data ?? [];
    const shown = all.filter((actor) => `${actor.name} ${actor.definitionName}`.toLowerCase().includes(wanted));
    const setUp = (
        <Link href="/connections/new" className="button primary">
            Set up a connection
        </Link>
    );
    return (
        <>
            <PageHead title={side === "source" ? "Sources" : "Destinations"} lead={LEADS[side]} actions={setUp} />
            {actors.error && <Notice kind="error">{actors.error.message}</Notice>}
            {actors.data?.length === 0 && (
                <Empty title={`No ${side} yet`} action={setUp}>
                    Each {side} is made when a connection is set up, and serves any number of them.
                </Empty>
            )}
            {all.length > MANY && (
                <div className="toolbar" role="search">
                    <input type="search" aria-label={`Search ${side}s`} placeholder="Search by name or connector" value={search} onChange={(event) => setSearch(event.target.value)} />
                    <p className="quiet" role="status">
                        {shown.length === all.length ? `${count(all.length)} in all` : `${count(shown.length)} of ${count(all.length)}`}
                    </p>
                </div>
            )}
            <ul className="choices">
                {shown.map((actor) => (
                    <li key={actor.id}>
                        <Link href={`/${side}s/${actor.id}`} className="choice">
                            <ConnectorMark name={actor.definitionName} />
                            <span>
                                <strong>{actor.name}</strong>
                                <span className="quiet">{actor.definitionName}</span>
                            </span>
                        </Link>
                    </li>
                ))}
            </ul>
            {all.length > 0 && shown.length === 0 && <p className="nothing quiet">None is called that.</p>}
        </>
    );
}
