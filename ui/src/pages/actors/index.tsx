// The four pages of sources and destinations, as the router wants them.
import { ActorList } from "./list";
import { ActorPage } from "./page";

export default function Actors({ side, one }: { side: "source" | "destination"; one: boolean }) {
    return one ? <ActorPage side={side} /> : <ActorList side={side} />;
}
