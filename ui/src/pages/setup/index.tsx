// Set up a connection, step by step. Where one is stands in the page's address, so that going back and loading anew lose
// nothing; what is typed of secrets is kept nowhere but in the form.
import { Link, useLocation, useSearch } from "wouter";
import { PageHead } from "../../parts/basics";
import { ActorStep } from "./actorstep";
import { StreamsStep } from "./streamsstep";

const STEPS = ["source", "destination", "streams"] as const;
type Step = (typeof STEPS)[number];
const TITLES: Record<Step, string> = { source: "Source", destination: "Destination", streams: "Streams" };

export default function SetUp() {
    const [, go] = useLocation();
    const search = new URLSearchParams(useSearch());
    const source = search.get("source") ?? undefined;
    const destination = search.get("destination") ?? undefined;
    const connector = search.get("connector") ?? undefined;
    const step: Step = !source ? "source" : !destination ? "destination" : "streams";

    function to(values: Record<string, string | undefined>, replace = false) {
        const next = new URLSearchParams();
        for (const [name, value] of Object.entries(values)) if (value) next.set(name, value);
        go(`/connections/new?${next.toString()}`, { replace });
    }

    function linkTo(wanted: Step): string | null {
        if (STEPS.indexOf(wanted) >= STEPS.indexOf(step)) return null;
        return wanted === "source" ? "/connections/new" : `/connections/new?source=${source}`;
    }

    return (
        <>
            <PageHead title="Set up a connection" lead="A source, a destination, and the streams between them." />
            <ol className="steps">
                {STEPS.map((name, index) => {
                    const link = linkTo(name);
                    return (
                        <li key={name} aria-current={name === step ? "step" : undefined}>
                            <span className="step-number">{index + 1}</span>
                            {link ? <Link href={link}>{TITLES[name]}</Link> : TITLES[name]}
                        </li>
                    );
                })}
            </ol>
            {step === "source" && (
                <ActorStep
                    side="source"
                    definitionId={connector}
                    onDefinition={(id) => to({ connector: id })}
                    onDone={(id) => to({ source: id }, connector !== undefined)}
                />
            )}
            {step === "destination" && (
                <ActorStep
                    key="destination"
                    side="destination"
                    definitionId={connector}
                    onDefinition={(id) => to({ source, connector: id })}
                    onDone={(id) => to({ source, destination: id }, connector !== undefined)}
                />
            )}
            {step === "streams" && <StreamsStep sourceId={source!} destinationId={destination!} />}
        </>
    );
}
