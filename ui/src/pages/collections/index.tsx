// Collections: all of them, and the documents of each.
import { useState, type FormEvent } from "react";
import { Link } from "wouter";
import { collectionsOf, DOCUMENTS_PAGE, useDocuments, useStatus, type CollectionStatus } from "../../api/tasks";
import { Badge, Button, Empty, Field, Notice, PageHead } from "../../parts/basics";
import { Json } from "../../parts/json";
import { bytes, count, fromNow } from "../../parts/time";

function CollectionList({ collections }: { collections: CollectionStatus[] }) {
    const [search, setSearch] = useState("");
    const shown = collections.filter((one) => one.name.toLowerCase().includes(search.trim().toLowerCase()));
    if (collections.length === 0) return <Empty title="No collection yet">Captures fill collections: durable logs of validated documents.</Empty>;
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
                            <th className="number">Size</th>
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
                                    {count(one.documents)}
                                </td>
                                <td className="number" data-label="Size">
                                    {bytes(one.bytes)}
                                </td>
                                <td data-label="Written by">{one.writers.join(", ")}</td>
                                <td data-label="Last commit">{one.committedAt ? fromNow(Date.parse(one.committedAt)) : "never"}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
                {shown.length === 0 && <p className="nothing quiet">None is called that.</p>}
            </div>
        </>
    );
}

function CollectionPage({ one }: { one: CollectionStatus }) {
    const [writer, setWriter] = useState(one.writers[0]);
    // The latest documents first of all: that is what one looks for.
    const [from, setFrom] = useState(() => Math.max(0, (one.writers.length === 1 ? one.documents : 0) - DOCUMENTS_PAGE));
    const documents = useDocuments(one.name, writer, from);

    function go(event: FormEvent<HTMLFormElement>) {
        event.preventDefault();
        setFrom(Math.max(0, Number(new FormData(event.currentTarget).get("from")) || 0));
    }

    return (
        <>
            <p className="quiet">
                <Link href="/collections">Collections</Link>
            </p>
            <PageHead title={one.name} lead={`${count(one.documents)} documents, ${bytes(one.bytes)}`} />
            <form className="in-row end section" onSubmit={go}>
                {one.writers.length > 1 && (
                    <div className="field">
                        <label htmlFor="writer">Written by</label>
                        <select id="writer" value={writer} onChange={(event) => setWriter(event.target.value)}>
                            {one.writers.map((name) => (
                                <option key={name}>{name}</option>
                            ))}
                        </select>
                    </div>
                )}
                <Field key={from} label="From document number" name="from" type="number" min={0} defaultValue={from} />
                <Button type="submit">Show</Button>
                <Button disabled={from === 0} onClick={() => setFrom(Math.max(0, from - DOCUMENTS_PAGE))}>
                    Earlier
                </Button>
                <Button disabled={(documents.data?.documents.length ?? 0) < DOCUMENTS_PAGE} onClick={() => setFrom(from + DOCUMENTS_PAGE)}>
                    Later
                </Button>
            </form>
            {documents.error && <Notice kind="error">{documents.error.message}</Notice>}
            {(documents.data?.notices ?? []).map((notice, index) => (
                <Notice key={index} kind="warning">
                    {notice.message ?? "Something of it is gone."}
                </Notice>
            ))}
            <ol className="card documents" aria-label="Documents" aria-busy={documents.isFetching}>
                {(documents.data?.documents ?? []).map((stored) => (
                    <li key={`${stored.writer}#${stored.number}`}>
                        <Json value={stored.document} summary={`${count(stored.number)}`} />
                    </li>
                ))}
            </ol>
            {documents.data?.documents.length === 0 && <p className="nothing quiet">There is no document from there on.</p>}
        </>
    );
}

export default function Collections({ name }: { name?: string }) {
    const status = useStatus();
    if (status.error) return <Notice kind="error">{status.error.message}</Notice>;
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
    return one ? <CollectionPage one={one} /> : <Notice kind="error">There is no collection of this name here.</Notice>;
}
