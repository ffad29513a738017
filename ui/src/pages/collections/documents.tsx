// The documents of a collection: the latest first of all, those from a number on, those of a key.
import { useMemo, useState, type FormEvent } from "react";
import { writeExactly } from "../../api/exact";
import { DOCUMENTS_PAGE, useCollection, useDocuments, whereOf, type CollectionStatus, type StoredDocument } from "../../api/tasks";
import { Button, Field, Notice } from "../../parts/basics";
import { Json } from "../../parts/json";
import { count } from "../../parts/time";
import { shapeOf } from "./shape";

function Shape({ documents }: { documents: StoredDocument[] }) {
    const fields = useMemo(() => shapeOf(documents.map((stored) => stored.document)), [documents]);
    return (
        <details className="section shape">
            <summary>What {documents.length === 1 ? "this document looks" : `these ${documents.length} documents look`} like</summary>
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

/** What is asked for: a key's values, as `where` of the API. */
function KeyFilter({ name, writer, wheres, onFind }: { name: string; writer: string | undefined; wheres: string[]; onFind: (wheres: string[]) => void }) {
    const spec = useCollection(name, writer);
    const [typed, setTyped] = useState<Record<string, string>>({});
    const key = spec.data?.key ?? [];
    if (key.length === 0) return null;

    function find(event: FormEvent) {
        event.preventDefault();
        onFind(
            key.filter((pointer) => typed[pointer]).map((pointer) =>
                whereOf(
                    spec.data?.fields.find((field) => field.pointer === pointer),
                    pointer,
                    typed[pointer]!,
                ),
            ),
        );
    }

    return (
        <form className="toolbar documents-tools" onSubmit={find}>
            {key.map((pointer) => (
                <Field key={pointer} label={`Key ${pointer}`} value={typed[pointer] ?? ""} spellCheck={false} autoComplete="off" onChange={(event) => setTyped({ ...typed, [pointer]: event.target.value })} />
            ))}
            <Button type="submit">Find</Button>
            {wheres.length > 0 && (
                <Button
                    onClick={() => {
                        setTyped({});
                        onFind([]);
                    }}
                >
                    All keys
                </Button>
            )}
        </form>
    );
}

interface PagesProps {
    first: number;
    from: number;
    latest: number;
    /** The number behind the last that is shown, if there may be more. */
    next: number | null;
    /** Only some are shown: what lies before is not a page of them. */
    filtered: boolean;
    /** Null: the latest. */
    onGo: (from: number | null) => void;
}

function Pages({ first, from, latest, next, filtered, onGo }: PagesProps) {
    function go(event: FormEvent<HTMLFormElement>) {
        event.preventDefault();
        onGo(Math.max(0, Number(new FormData(event.currentTarget).get("from")) || 0));
    }

    return (
        <form className="toolbar documents-tools" onSubmit={go}>
            <Field key={from} label="From document number" name="from" type="number" min={0} defaultValue={from} />
            <Button type="submit">Show</Button>
            {!filtered && (
                <Button disabled={from <= first} onClick={() => onGo(Math.max(first, from - DOCUMENTS_PAGE))}>
                    Earlier
                </Button>
            )}
            <Button disabled={next === null} onClick={() => onGo(next)}>
                Later
            </Button>
            {!filtered && (
                <Button disabled={from === latest} onClick={() => onGo(null)}>
                    Latest
                </Button>
            )}
        </form>
    );
}

export function Documents({ one, writer, onWriter }: { one: CollectionStatus; writer: string | undefined; onWriter: (writer: string) => void }) {
    const own = one.parts.find((part) => part.writer === writer);
    const first = own?.first ?? 0;
    const latest = Math.max(first, (own?.end ?? 0) - DOCUMENTS_PAGE);
    // The latest documents first of all: that is what one looks for. Null: wherever they are now.
    const [chosen, setChosen] = useState<number | null>(latest);
    const [wheres, setWheres] = useState<string[]>([]);
    const [search, setSearch] = useState("");
    const from = chosen ?? latest;
    const documents = useDocuments(one.name, writer, from, wheres);
    const found = useMemo(() => documents.data?.documents ?? [], [documents.data]);
    const wanted = search.trim().toLowerCase();
    const shown = useMemo(() => (wanted ? found.filter((stored) => writeExactly(stored.document).toLowerCase().includes(wanted)) : found), [found, wanted]);
    const last = found[found.length - 1];

    return (
        <section className="section" aria-labelledby="documents">
            <h2 id="documents">Documents</h2>
            {one.writers.length > 1 && (
                <div className="field short">
                    <label htmlFor="writer">Written by</label>
                    <select
                        id="writer"
                        value={writer}
                        onChange={(event) => {
                            onWriter(event.target.value);
                            setChosen(wheres.length > 0 ? 0 : null);
                        }}
                    >
                        {one.writers.map((name) => (
                            <option key={name}>{name}</option>
                        ))}
                    </select>
                </div>
            )}
            <KeyFilter
                name={one.name}
                writer={writer}
                wheres={wheres}
                onFind={(next) => {
                    setWheres(next);
                    setChosen(next.length > 0 ? first : null);
                }}
            />
            <Pages
                first={first}
                from={from}
                latest={latest}
                next={last && found.length === DOCUMENTS_PAGE ? last.number + 1 : null}
                filtered={wheres.length > 0}
                onGo={setChosen}
            />
            {wheres.length > 0 && (
                <p className="quiet hint" role="status">
                    {documents.isFetching ? "Looking through the collection for " : "Every version of "}
                    <code>{wheres.join(", ")}</code> from document {count(from)} on{documents.isFetching ? "…" : ", the oldest first."}
                </p>
            )}
            {documents.error && <Notice kind="error">{documents.error.message}</Notice>}
            {(documents.data?.notices ?? []).map((notice, index) => (
                <Notice key={index} kind="warning">
                    {notice.message ?? "Something of it is gone."}
                </Notice>
            ))}
            {found.length > 0 && <Shape documents={found} />}
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
            {documents.data && shown.length === 0 && <p className="nothing quiet">{found.length ? "None of these is like that." : "There is no such document from there on."}</p>}
        </section>
    );
}
