// Who is logged in. Every page stands below a session; without one there is the form alone.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useState, type FormEvent, type ReactNode } from "react";
import { firth } from "../api/client";
import { Button, Field, Notice, useTitle } from "../parts/basics";
import { Mark } from "../parts/mark";

export interface Session {
    user: string;
    version: string;
    workspaceId: string;
    /** The password is still the one that everybody knows. */
    defaultPassword: boolean;
    /** Connectors that are commands may be added by pages too. */
    allowCommands: boolean;
}

const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
    const session = useContext(SessionContext);
    if (!session) throw new Error("there is no session above this page");
    return session;
}

export function useLogOut(): () => Promise<void> {
    const client = useQueryClient();
    return async () => {
        await firth.remove("session");
        client.setQueryData(["session"], null);
    };
}

function LogIn({ onDone }: { onDone: () => void }) {
    const [problem, setProblem] = useState<string | null>(null);
    const [busy, setBusy] = useState(false);
    useTitle("Log in");

    async function submit(event: FormEvent<HTMLFormElement>) {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        setBusy(true);
        setProblem(null);
        try {
            await firth.post("session", { username: form.get("username"), password: form.get("password") });
            onDone();
        } catch (error) {
            setProblem((error as Error).message);
            setBusy(false);
        }
    }

    return (
        <main className="login">
            <form onSubmit={(event) => void submit(event)} aria-labelledby="login-title">
                <Mark />
                <h1 id="login-title">Log in to Firth</h1>
                <Field label="User" name="username" defaultValue="airbyte" autoComplete="username" required />
                <Field label="Password" name="password" type="password" autoComplete="current-password" required autoFocus />
                {problem && <Notice kind="error">{problem}</Notice>}
                <Button kind="primary" type="submit" busy={busy}>
                    Log in
                </Button>
                <p className="quiet">
                    On a fresh installation the password is <code>password</code>; <code>firth password</code> sets another.
                </p>
            </form>
        </main>
    );
}

export function SessionGate({ children }: { children: ReactNode }) {
    const client = useQueryClient();
    const session = useQuery({
        queryKey: ["session"],
        queryFn: async ({ signal }) => {
            const answer = await firth.get<Partial<Session> & { loggedIn: boolean }>("session", signal);
            return answer.loggedIn ? (answer as Session) : null;
        },
        retry: false,
        staleTime: 60_000,
    });
    // What was seen is nobody's any more; but no page that is still there is to ask for it anew.
    useEffect(() => {
        if (session.data === null) client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    }, [client, session.data]);
    if (session.data) return <SessionContext.Provider value={session.data}>{children}</SessionContext.Provider>;
    if (session.data === null)
        return <LogIn onDone={() => void client.invalidateQueries({ queryKey: ["session"] })} />;
    if (session.error)
        return (
            <main className="login">
                <Notice kind="error">{session.error.message}</Notice>
                <Button onClick={() => void session.refetch()}>Try again</Button>
            </main>
        );
    return <main className="login" aria-busy="true" />;
}
