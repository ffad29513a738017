// What a collection is declared to be: its key, its schemas, and its fields as they follow from these.
import { writeExactly } from "../../api/exact";
import { useCollection, type CollectionField } from "../../api/tasks";
import { Badge, Notice } from "../../parts/basics";

function Row({ field }: { field: CollectionField }) {
    return (
        <tr>
            <td className="title">
                <code>{field.field}</code> {field.key && <Badge tone="good">key</Badge>}
                {field.description && <p className="quiet">{field.description}</p>}
            </td>
            <td data-label="Type">{field.types.join(" or ") || "any"}</td>
            <td data-label="There">{field.required ? "always" : "may be missing"}</td>
        </tr>
    );
}

function SchemaText({ title, schema }: { title: string; schema: unknown }) {
    return (
        <details className="card json">
            <summary>{title}</summary>
            <pre tabIndex={0}>{writeExactly(schema, 2)}</pre>
        </details>
    );
}

export function CollectionSchema({ name, writer }: { name: string; writer: string | undefined }) {
    const spec = useCollection(name, writer);
    if (spec.error) return <Notice kind="info">What is declared of it is not known: {spec.error.message}.</Notice>;
    if (!spec.data) return <p className="quiet" aria-busy="true" />;
    const { key, fields, inferred, writeSchema, readSchema } = spec.data;
    const one = JSON.stringify(writeSchema) === JSON.stringify(readSchema);
    return (
        <section className="section">
            <h2>Schema</h2>
            <p className="quiet hint">
                The key is <code>{key.join(", ")}</code>.{inferred && " What it is read as is inferred from what was captured so far."}
            </p>
            {fields.length > 0 && (
                <div className="card table-frame">
                    <table className="stacked" aria-label="Declared fields">
                        <thead>
                            <tr>
                                <th>Field</th>
                                <th>Type</th>
                                <th>There</th>
                            </tr>
                        </thead>
                        <tbody>
                            {fields.map((field) => (
                                <Row key={field.field} field={field} />
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
            <div className="schemas">
                <SchemaText title={one ? "The schema" : "The schema that documents are written by"} schema={writeSchema} />
                {!one && <SchemaText title="The schema that they are read by" schema={readSchema} />}
            </div>
        </section>
    );
}
