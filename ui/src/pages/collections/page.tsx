// One collection: its documents, the latest first of all, and what they look like.
import { useMemo, useState, type FormEvent } from "react";
import { Link } from "wouter";
import { DOCUMENTS_PAGE, useDocuments, type CollectionStatus, type StoredDocument } from "../../api/tasks";
import { Button, Field, Notice, PageHead } from "../../parts/basics";
import { Json } from "../../parts/json";
import { bytes, count } from "../../parts/time";
import { CollectionSchema } from "./schema";
import { shapeOf } from "./shape";

function Shape({ documents }: { documents: StoredDocument[] }) {
    const fields = useMemo(() => shapeOf(documents.map((stored) => stored.document)), [documents]);
    return (
        <details className="section shape">
            <summary>What these {documents.length} documents look like</summary>
            <div className="card table-frame">
                <table className="stacked" aria-label="Shape">
                    <thead>
                        <tr>
                            <th>Field</th>
                            <th>Type</th>
                            <th className="number">In</th>
                        </tr>
                    </thead>
                    <tbody>
                        {fields.map((field) => (
                            <tr key={field.path}>
                                <td className="title">
                                    <code>{field.path}</code>
                                </td>
                                <td data-label="Type">{field.types.join(" or ")}</td>
                                <td className="number" data-label="In">
                                    {field.count === documents.length ? "all" : `${field.count} of ${documents.length}`}
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </details>
    );
}

export function CollectionPage({ one }: { one: CollectionStatus }) {
    const [writer, setWriter] = useState(one.writers[0]);
    const own = one.parts.find((part) => part.writer === writer);
    const latest = Math.max(own?.first ?? 0, (own?.end ?? 0) - DOCUMENTS_PAGE);
    // The latest documents first of all: that is what one looks for. Null: wherever they are now.
    const [chosen, setChosen] = useState<number | null>(latest);
    const from = chosen ?? latest;
    const [search, setSearch] = useState("");
    const documents = useDocuments(one.name, writer, from);
    const found = useMemo(() => documents.data?.documents ?? [], [documents.data]);
    const wanted = search.trim().toLowerCase();
    const shown = useMemo(() => (wanted ? found.filter((stored) => JSON.stringify(stored.document).toLowerCase().includes(wanted)) : found), [found, wanted]);

    function go(event: FormEvent<HTMLFormElement>) {
        event.preventDefault();
        setChosen(Math.max(0, Number(new FormData(event.currentTarget).get("from")) || 0));
    }

    return (
        <>
            <p className="quiet">
                <Link href="/collections">Collections</Link>
            </p>
            <PageHead
                title={one.name}
                lead={
                    <>
                        {count(one.documents)} documents, {bytes(one.bytes)}, written by{" "}
                        {one.writers.map((name, index) => (
                            <span key={name}>
                                {index > 0 && ", "}
                                <Link href={`/captures/${name}`}>{name}</Link>
                            </span>
                        ))}
                    </>
                }
            />
            <CollectionSchema name={one.name} writer={writer} />
            <h2 className="section">Documents</h2>
            <form className="toolbar documents-tools" onSubmit={go}>
                {one.writers.length > 1 && (
                    <div className="field">
                        <label htmlFor="writer">Written by</label>
                        <select
                            id="writer"
                            value={writer}
                            onChange={(event) => {
                                setWriter(event.target.value);
                                setChosen(null);
                            }}
                        >
                            {one.writers.map((name) => (
                                <option key={name}>{name}</option>
                            ))}
                        </select>
                    </div>
                )}
                <Field key={from} label="From document number" name="from" type="number" min={0} defaultValue={from} />
                <Button type="submit">Show</Button>
                <Button disabled={from <= (own?.first ?? 0)} onClick={() => setChosen(Math.max(own?.first ?? 0, from - DOCUMENTS_PAGE))}>
                    Earlier
                </Button>
                <Button disabled={found.length < DOCUMENTS_PAGE} onClick={() => setChosen(from + DOCUMENTS_PAGE)}>
                    Later
                </Button>
                <Button disabled={from === latest} onClick={() => setChosen(null)}>
                    Latest
                </Button>
            </form>
            {documents.error && <Notice kind="error">{documents.error.message}</Notice>}
            {(documents.data?.notices ?? []).map((notice, index) => (
                <Notice key={index} kind="warning">
                    {notice.message ?? "Something of it is gone."}
                </Notice>
            ))}
            {found.length > 0 && <Shape documents={found} />}
            <section className="section">
                <div className="section-head">
                    <input className="short" type="search" aria-label="Search these documents" placeholder="Search these" value={search} onChange={(event) => setSearch(event.target.value)} />
                </div>
                <ol className="card documents" aria-label="Documents" aria-busy={documents.isFetching}>
                    {shown.map((stored) => (
                        <li key={`${stored.writer}#${stored.number}`}>
                            <Json value={stored.document} summary={count(stored.number)} />
                        </li>
                    ))}
                </ol>
                {documents.data && shown.length === 0 && <p className="nothing quiet">{found.length ? "None of these is like that." : "There is no document from there on."}</p>}
            </section>
        </>
    );
}
