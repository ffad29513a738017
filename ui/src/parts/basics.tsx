// The few parts that every page is made of. How they look is in style/.
import { useEffect, useId, useRef, useState, type ButtonHTMLAttributes, type InputHTMLAttributes, type MouseEvent, type ReactNode } from "react";
import { Link } from "wouter";
import { ApiError } from "../api/client";
import { useStanding } from "../api/standing";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
    kind?: "primary" | "plain" | "danger" | "ghost";
    busy?: boolean;
    /** It begins something: pressed twice in a row, or for long, it was pressed once. */
    once?: boolean;
}

/** What was pressed is seen to be busy by then. */
const SEEN_MS = 10;
/** A button that stands for something else by now takes nothing for so long: who presses it may mean what it stood for. */
const NEWS_MS = 1_000;

/** Has it just become of another kind? */
function useNews(kind: string): boolean {
    const [known, setKnown] = useState(kind);
    useEffect(() => {
        if (known === kind) return;
        const timer = window.setTimeout(() => setKnown(kind), NEWS_MS);
        return () => window.clearTimeout(timer);
    }, [known, kind]);
    return known !== kind;
}

/** A busy button cannot be pressed again, but keeps the focus. */
export function Button({ kind = "plain", once = kind === "primary" || kind === "danger", busy = false, type = "button", className, onClick, children, ...rest }: ButtonProps) {
    const pressed = useRef(Number.NEGATIVE_INFINITY);
    const news = useNews(kind);

    function press(event: MouseEvent<HTMLButtonElement>) {
        // The second of a double click may meet what the first one made of the button.
        const again = once && (event.detail > 1 || event.timeStamp - pressed.current < SEEN_MS);
        pressed.current = event.timeStamp;
        if (busy || news || again) event.preventDefault();
        else onClick?.(event);
    }

    return (
        <button
            type={type}
            className={`button ${kind}${className ? ` ${className}` : ""}`}
            aria-disabled={busy || news || undefined}
            onClick={press}
            onKeyDown={(event) => once && event.repeat && event.key !== "Tab" && event.preventDefault()}
            {...rest}
        >
            {busy && <span className="spinner" aria-hidden="true" />}
            {children}
        </button>
    );
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
    label: string;
    help?: ReactNode;
    problem?: string | null;
}

export function Field({ label, help, problem, ...input }: FieldProps) {
    const id = useId();
    const described = [help && `${id}-help`, problem && `${id}-problem`].filter(Boolean).join(" ");
    return (
        <div className="field">
            <label htmlFor={id}>
                {label}
                {input.required && <span aria-hidden="true"> *</span>}
            </label>
            <input id={id} aria-describedby={described || undefined} aria-invalid={problem ? true : undefined} {...input} />
            {help && (
                <p className="help" id={`${id}-help`}>
                    {help}
                </p>
            )}
            {problem && (
                <p className="problem" id={`${id}-problem`}>
                    {problem}
                </p>
            )}
        </div>
    );
}

/** A switch; the label is what it turns on. */
export function Switch({ label, checked, disabled, onChange, hideLabel }: {
    label: string;
    checked: boolean;
    disabled?: boolean;
    onChange: (checked: boolean) => void;
    hideLabel?: boolean;
}) {
    return (
        <label className="switch">
            <input
                type="checkbox"
                role="switch"
                checked={checked}
                disabled={disabled}
                onChange={(event) => onChange(event.target.checked)}
            />
            <span className="track" aria-hidden="true" />
            <span className={hideLabel ? "sr-only" : undefined}>{label}</span>
        </label>
    );
}

export function Notice({ kind, title, children, actions }: {
    kind: "error" | "warning" | "info" | "success";
    title?: ReactNode;
    children?: ReactNode;
    actions?: ReactNode;
}) {
    return (
        <div className={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
            <div>
                {title && <strong>{title}</strong>}
                {children && <div>{children}</div>}
            </div>
            {actions}
        </div>
    );
}

/** What went wrong of what was asked here. That the daemon did not answer, or did not know who asks, is over once it does. */
export function Problem({ error, title, children, actions }: { error: Error | null | undefined; title?: ReactNode; children?: ReactNode; actions?: ReactNode }) {
    const standing = useStanding();
    const status = error instanceof ApiError ? error.status : undefined;
    if (!error || (status === 0 && standing !== "away") || (status === 401 && standing !== "ended")) return null;
    return (
        <Notice kind="error" title={title} actions={actions}>
            {error.message}
            {children}
        </Notice>
    );
}

export type Tone = "good" | "bad" | "active" | "waiting" | "off";

/** A word with its colour and its shape: nobody has to tell colours apart. */
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
    return <span className={`badge ${tone}`}>{children}</span>;
}

/** What the browser calls the page, in its tabs and its history. */
export function useTitle(title: string) {
    useEffect(() => {
        document.title = `${title} · Firth`;
    }, [title]);
}

/** The head of a page: what it is, and what one can do here. */
export function PageHead({ title, lead, actions }: { title: string; lead?: ReactNode; actions?: ReactNode }) {
    useTitle(title);
    return (
        <header className="page-head">
            <div>
                <h1>{title}</h1>
                {lead && <p className="quiet">{lead}</p>}
            </div>
            {actions && <div className="actions">{actions}</div>}
        </header>
    );
}

/** In the place of a page of what is not there, or cannot be had: why, and where to go on. */
export function Missing({ title, children, to, place }: { title: string; children: ReactNode; to: string; place: string }) {
    return (
        <>
            <PageHead title={title} />
            <Notice kind="error" actions={<Link href={to} className="button">{place}</Link>}>
                {children}
            </Notice>
        </>
    );
}

/** What is typed on the machine that the daemon runs on. */
export function Commands({ children }: { children: string }) {
    return (
        <pre className="commands" tabIndex={0}>
            <code>{children}</code>
        </pre>
    );
}

/** What a page says when there is nothing yet: what would be here, and how to begin. */
export function Empty({ title, children, action }: { title: string; children: ReactNode; action?: ReactNode }) {
    return (
        <section className="empty">
            <h2>{title}</h2>
            <p className="quiet">{children}</p>
            {action}
        </section>
    );
}
