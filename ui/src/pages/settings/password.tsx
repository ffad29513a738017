// Another password, for who knows the one that it is.
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { ApiError, firth } from "../../api/client";
import { Button, Field, Notice, Problem } from "../../parts/basics";

const LEAST = 8;

export function Password() {
    const client = useQueryClient();
    const [current, setCurrent] = useState("");
    const [next, setNext] = useState("");
    const [again, setAgain] = useState("");
    const [error, setError] = useState<Error | null>(null);
    const [state, setState] = useState<"idle" | "busy" | "done">("idle");
    const differs = again !== "" && again !== next;
    const wrong = error instanceof ApiError ? error.fields[0] : undefined;

    async function submit(event: FormEvent) {
        event.preventDefault();
        if (next !== again) return;
        setState("busy");
        setError(null);
        try {
            client.setQueryData(["session"], await firth.post("password", { currentPassword: current, newPassword: next }));
            setCurrent("");
            setNext("");
            setAgain("");
            setState("done");
        } catch (failure) {
            setError(failure as Error);
            setState("idle");
        }
    }

    return (
        <section className="card padded fields narrow">
            <h2>Password</h2>
            <p className="quiet">
                All other sessions end with it, and tokens that were had by it; applications keep theirs. On the machine itself <code>firth password</code> sets one too.
            </p>
            <form className="fields" onSubmit={(event) => void submit(event)}>
                <input type="text" name="username" autoComplete="username" value="airbyte" readOnly hidden />
                <Field
                    label="Current password"
                    type="password"
                    autoComplete="current-password"
                    required
                    value={current}
                    problem={wrong?.path === "currentPassword" ? wrong.message : null}
                    onChange={(event) => setCurrent(event.target.value)}
                />
                <Field
                    label="New password"
                    type="password"
                    autoComplete="new-password"
                    required
                    minLength={LEAST}
                    value={next}
                    help={`At least ${LEAST} characters.`}
                    problem={wrong?.path === "newPassword" ? wrong.message : null}
                    onChange={(event) => setNext(event.target.value)}
                />
                <Field
                    label="New password once more"
                    type="password"
                    autoComplete="new-password"
                    required
                    value={again}
                    problem={differs ? "This is not the same." : null}
                    onChange={(event) => setAgain(event.target.value)}
                />
                {!wrong && <Problem error={error} />}
                {state === "done" && <Notice kind="success">The password is changed.</Notice>}
                <div className="actions">
                    <Button kind="primary" type="submit" busy={state === "busy"}>
                        Change the password
                    </Button>
                </div>
            </form>
        </section>
    );
}
