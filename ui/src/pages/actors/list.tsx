// All sources, or all destinations.
import { Link } from "wouter";
import { useActors, type Side } from "../../api/actors";
import { Empty, Notice, PageHead } from "../../parts/basics";
import { ConnectorMark } from "../../parts/connector";

export function ActorList({ side }: { side: Side }) {
    const actors = useActors(side);
    const setUp = (
        <Link href="/connections/new" className="button primary">
            Set up a connection
        </Link>
    );
    return (
        <>
            <PageHead title={side === "source" ? "Sources" : "Destinations"} actions={setUp} />
            {actors.error && <Notice kind="error">{actors.error.message}</Notice>}
            {actors.data?.length === 0 && (
                <Empty title={`No ${side} yet`} action={setUp}>
                    {side === "source" ? "A source is where data comes from." : "A destination is where data goes."} Each is made when a connection is set up, and
                    serves any number of them.
                </Empty>
            )}
            <ul className="choices">
                {(actors.data ?? []).map((actor) => (
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
        </>
    );
}
