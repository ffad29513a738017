// Applications: programs that use the API with a client id and a secret of their own.
import { useState, type FormEvent } from "react";
import { useApplications, useCreateApplication, useDeleteApplication, type Application } from "../../api/settings";
import { Button, Field, Notice, Problem } from "../../parts/basics";
import { Confirm } from "../../parts/confirm";
import { moment } from "../../parts/time";

export function Applications() {
    const applications = useApplications();
    const create = useCreateApplication();
    const remove = useDeleteApplication();
    const [name, setName] = useState("");
    const [made, setMade] = useState<Application | null>(null);
    const [asking, setAsking] = useState<Application | null>(null);

    function submit(event: FormEvent) {
        event.preventDefault();
        create.mutate(name.trim(), {
            onSuccess: (application) => {
                setMade(application);
                setName("");
            },
        });
    }

    const error = applications.error ?? create.error ?? remove.error;
    return (
        <section className="card padded fields narrow">
            <h2>Applications</h2>
            <p className="quiet">A program that uses the API gets its tokens by a client id and a secret.</p>
            <Problem error={error} />
            {made && (
                <Notice kind="success" title={`${made.name} is there. Its secret is shown this once:`} actions={<Button onClick={() => setMade(null)}>I have it</Button>}>
                    <p>
                        Client id <code>{made.clientId}</code>
                    </p>
                    <p>
                        Client secret <code>{made.clientSecret}</code>
                    </p>
                </Notice>
            )}
            {applications.data?.length === 0 && <p className="quiet">There is none yet.</p>}
            <ul className="plain-list">
                {(applications.data ?? []).map((application) => (
                    <li key={application.id} className="in-row spread">
                        <span>
                            <strong>{application.name}</strong>{" "}
                            <span className="quiet">
                                {application.clientId}, since {moment(application.createdAt * 1000)}
                            </span>
                        </span>
                        <Button kind="danger" aria-label={`Delete ${application.name}`} onClick={() => setAsking(application)}>
                            Delete
                        </Button>
                    </li>
                ))}
            </ul>
            <form className="in-row end" onSubmit={submit}>
                <Field label="Name of a new application" value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
                <Button type="submit" busy={create.isPending}>
                    Add
                </Button>
            </form>
            {asking && (
                <Confirm
                    title={`Delete ${asking.name}?`}
                    action="Delete"
                    busy={remove.isPending}
                    onConfirm={() => remove.mutate(asking.id, { onSuccess: () => setMade((last) => (last?.id === asking.id ? null : last)), onSettled: () => setAsking(null) })}
                    onClose={() => setAsking(null)}
                >
                    Its tokens are good for nothing from then on.
                </Confirm>
            )}
        </section>
    );
}
