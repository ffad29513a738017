// Who is logged in. Every page stands below a session; without one there is the form alone. A session that ends under an
// open page leaves that page as it is, with what was typed there, and asks who is there.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { ApiError, firth } from "../api/client";
import { askAnew, era, loggedIn, sessionEnded, useStanding } from "../api/standing";
import { Button, Field, Notice, useTitle } from "../parts/basics";
import { forgetDrafts } from "../parts/draft";
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

const KEY = ["session"];
/** Other tabs of this browser: who leaves one has left them all. */
const tabs = new BroadcastChannel("firth.session");
const LEFT = "left";
const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
    const session = useContext(SessionContext);
    if (!session) throw new Error("there is no session above this page");
    return session;
}

export function useLogOut(): () => Promise<void> {
    const client = useQueryClient();
    return async () => {
        try {
            await firth.remove("session");
        } catch (error) {
            // One that has ended already is no reason to stay.
            if (!(error instanceof ApiError) || error.status !== 401) throw error;
        }
        forgetDrafts();
        client.setQueryData(KEY, null);
        tabs.postMessage(LEFT);
    };
}

function LogInForm({ titleId, title, children, onDone }: { titleId: string; title: ReactNode; children?: ReactNode; onDone: () => void }) {
    const [problem, setProblem] = useState<string | null>(null);
    const [busy, setBusy] = useState(false);

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
        <form onSubmit={(event) => void submit(event)} aria-labelledby={titleId}>
            {title}
            <Field label="User" name="username" defaultValue="airbyte" autoComplete="username" required />
            <Field label="Password" name="password" type="password" autoComplete="current-password" required autoFocus />
            {problem && <Notice kind="error">{problem}</Notice>}
            <Button kind="primary" type="submit" busy={busy}>
                Log in
            </Button>
            {children}
        </form>
    );
}

function LogIn({ onDone }: { onDone: () => void }) {
    useTitle("Log in");
    return (
        <main className="login">
            <LogInForm
                titleId="login-title"
                title={
                    <>
                        <Mark />
                        <h1 id="login-title">Log in to Firth</h1>
                    </>
                }
                onDone={onDone}
            >
                <p className="quiet">
                    On a fresh installation the password is <code>password</code>; <code>firth password</code> sets another.
                </p>
            </LogInForm>
        </main>
    );
}

/** Over a page whose session has ended; there is no way around it. */
function LogInAgain({ onDone }: { onDone: () => void }) {
    const dialog = useRef<HTMLDialogElement>(null);
    useEffect(() => {
        dialog.current?.showModal();
        dialog.current?.querySelector<HTMLInputElement>("[name=password]")?.focus();
    }, []);
    return (
        <dialog ref={dialog} className="login-again" aria-labelledby="again-title" onCancel={(event) => event.preventDefault()} onClose={() => dialog.current?.showModal()}>
            <LogInForm titleId="again-title" title={<h2 id="again-title">Your session has ended</h2>} onDone={onDone}>
                <p className="quiet">What was typed is still there.</p>
            </LogInForm>
        </dialog>
    );
}

export function SessionGate({ children }: { children: ReactNode }) {
    const client = useQueryClient();
    const ended = useStanding() === "ended";
    const session = useQuery({
        queryKey: KEY,
        queryFn: async ({ signal }) => {
            const since = era();
            const answer = await firth.get<Partial<Session> & { loggedIn: boolean }>("session", signal);
            if (answer.loggedIn) return answer as Session;
            // Whoever was here has not left: the page stays.
            const before = client.getQueryData<Session | null>(KEY) ?? null;
            if (before) sessionEnded(since);
            return before;
        },
        retry: false,
        staleTime: 60_000,
    });
    // What was seen is nobody's any more; but no page that is still there is to ask for it anew.
    useEffect(() => {
        if (session.data === null) client.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    }, [client, session.data]);
    useEffect(() => {
        const hear = ({ data }: MessageEvent) => {
            if (data !== LEFT) return;
            forgetDrafts();
            client.setQueryData(KEY, null);
        };
        tabs.addEventListener("message", hear);
        return () => tabs.removeEventListener("message", hear);
    }, [client]);
    const onDone = () => {
        loggedIn();
        void askAnew(client);
    };
    if (session.data)
        return (
            <SessionContext.Provider value={session.data}>
                {children}
                {ended && <LogInAgain onDone={onDone} />}
            </SessionContext.Provider>
        );
    if (session.data === null) return <LogIn onDone={onDone} />;
    if (session.error)
        return (
            <main className="login">
                <Notice kind="error">{session.error.message}</Notice>
                <Button onClick={() => void session.refetch()}>Try again</Button>
            </main>
        );
    return <main className="login" aria-busy="true" />;
}
