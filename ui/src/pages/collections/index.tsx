// Collections: all of them, and each.
import { useState } from "react";
import { Link } from "wouter";
import { collectionsOf, COUNTS_OFTEN_MS, useStatus, type CollectionStatus } from "../../api/tasks";
import { Ago } from "../../parts/ago";
import { Badge, Empty, Missing, Notice, PageHead } from "../../parts/basics";
import { bytes, count, known } from "../../parts/time";
import { CollectionPage } from "./page";

function CollectionList({ collections }: { collections: CollectionStatus[] }) {
    const [search, setSearch] = useState("");
    const shown = collections.filter((one) => one.name.toLowerCase().includes(search.trim().toLowerCase()));
    if (collections.length === 0)
        return (
            <Empty
                title="No collection yet"
                action={
                    <Link href="/captures" className="button primary">
                        To the captures
                    </Link>
                }
            >
                Captures fill collections: durable logs of validated documents. Deploy a capture, and its collections are here.
            </Empty>
        );
    return (
        <>
            <div className="toolbar" role="search">
                <input type="search" aria-label="Search collections" placeholder="Search by name" value={search} onChange={(event) => setSearch(event.target.value)} />
            </div>
            <div className="card table-frame">
                <table className="stacked">
                    <thead>
                        <tr>
                            <th>Collection</th>
                            <th className="number">Documents</th>
                            <th className="number">On disk</th>
                            <th>Written by</th>
                            <th>Last commit</th>
                        </tr>
                    </thead>
                    <tbody>
                        {shown.map((one) => (
                            <tr key={one.name}>
                                <td className="title">
                                    <Link href={`/collections/${one.name}`}>{one.name}</Link> {one.damaged && <Badge tone="bad">damaged</Badge>}
                                </td>
                                <td className="number" data-label="Documents">
                                    {known(one.documents, count)}
                                </td>
                                <td className="number" data-label="On disk">
                                    {known(one.bytes, bytes)}
                                </td>
                                <td data-label="Written by">{one.writers.join(", ")}</td>
                                <td data-label="Last commit">
                                    <Ago at={one.committedAt} />
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
                {shown.length === 0 && <p className="nothing quiet">None is called that.</p>}
            </div>
        </>
    );
}

export default function Collections({ name }: { name?: string }) {
    const status = useStatus(name === undefined ? undefined : COUNTS_OFTEN_MS);
    if (status.error && !status.data)
        return (
            <>
                <PageHead title={name ?? "Collections"} />
                <Notice kind="error">{status.error.message}</Notice>
            </>
        );
    if (!status.data) return <div aria-busy="true" />;
    const collections = collectionsOf(status.data);
    if (name === undefined)
        return (
            <>
                <PageHead title="Collections" lead="Durable, numbered, validated logs of documents." />
                <CollectionList collections={collections} />
            </>
        );
    const one = collections.find((collection) => collection.name === name);
    return one ? <CollectionPage one={one} /> : (
        <Missing title={name} to="/collections" place="All collections">
            There is no collection of this name here: no capture that is deployed, or ever was, writes it.
        </Missing>
    );
}
