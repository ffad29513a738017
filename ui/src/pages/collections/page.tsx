// One collection: how it grows, what it is declared to be, its documents.
import { useState } from "react";
import { Link } from "wouter";
import { useStanding } from "../../api/standing";
import { useGrowth, type CollectionStatus } from "../../api/tasks";
import { Ago } from "../../parts/ago";
import { PageHead } from "../../parts/basics";
import { Chart } from "../../parts/chart";
import { about, bytes, count, duration, known, seconds, span } from "../../parts/time";
import { Documents } from "./documents";
import { CollectionSchema } from "./schema";

const perSecond = (value: number) => `${about(value)}/s`;

export function CollectionPage({ one }: { one: CollectionStatus }) {
    const [writer, setWriter] = useState(one.writers[0]);
    const samples = useGrowth(one);
    const away = useStanding() === "away";
    const rate = samples.rate[samples.rate.length - 1];
    return (
        <>
            <p className="quiet">
                <Link href="/collections">Collections</Link>
            </p>
            <PageHead
                title={one.name}
                lead={
                    <>
                        {one.documents === null ? "How many documents it has is not known" : `${count(one.documents)} documents, ${known(one.bytes, bytes)}`}, written by{" "}
                        {one.writers.map((name, index) => (
                            <span key={name}>
                                {index > 0 && ", "}
                                <Link href={`/captures/${name}`}>{name}</Link>
                            </span>
                        ))}
                        ; last commit <Ago at={one.committedAt} />
                    </>
                }
            />
            <div className="charts">
                <Chart title="Throughput" summary={away ? "not known: the daemon is away" : rate == null ? "is being measured" : `${about(Math.round(rate))} documents a second just now`} at={samples.at} values={samples.rate} format={perSecond} />
                <Chart least={1000} title="Lag" summary={one.lagMs !== null && !away ? `${duration(one.lagMs)} just now` : "not known just now"} at={samples.at} values={samples.lag} format={seconds} axis={span} />
            </div>
            <CollectionSchema name={one.name} writer={writer} />
            {one.documents === 0 && !one.committedAt ? (
                <section className="section" aria-labelledby="documents">
                    <h2 id="documents">Documents</h2>
                    <p className="nothing quiet">Nothing has been written yet. The first documents are seen here as soon as the capture commits them.</p>
                </section>
            ) : (
                <Documents one={one} writer={writer} onWriter={setWriter} />
            )}
        </>
    );
}
