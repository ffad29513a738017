// A source's or a destination's name and configuration: tested with its connector first, kept when that went well.
import { useEffect, useId, useRef, useState } from "react";
import type { Check, Side } from "../api/actors";
import { useSpec } from "../api/actors";
import { ApiError } from "../api/client";
import { Button, Field, Notice, Problem } from "../parts/basics";
import { useDraft } from "../parts/draft";
import { LogLines } from "../parts/logs";
import { isSame, merged, type Kept } from "./merge";
import { SpecForm } from "./specform";
import type { ConfigData } from "./uischema";

interface Props {
    side: Side;
    /** What is typed is kept under this name. */
    draftKey: string;
    definitionId: string;
    startName: string;
    startConfig?: ConfigData;
    /** What the button that tests and keeps says. */
    action: string;
    /** As it is kept by now: somebody else may have changed it. */
    reread?: () => Promise<Kept>;
    check: (name: string, config: ConfigData, signal: AbortSignal) => Promise<Check>;
    keep: (name: string, config: ConfigData) => Promise<void>;
}

interface ActorDraft {
    unsaved: boolean;
    /** What it was made from. */
    begun: Kept;
    name: string;
    typed: ConfigData;
    toSend: ConfigData;
}

type FieldProblem = ApiError["fields"][number];

type State =
    | { step: "idle" }
    | { step: "testing" }
    | { step: "keeping" }
    | { step: "conflict"; theirs: Kept; both: string[] }
    | { step: "failed"; title: string; error: Error; logs: string[]; tested: boolean; fields?: FieldProblem[] };

const NOTHING: ConfigData = {};

function fieldsOf(error: unknown): FieldProblem[] {
    return error instanceof ApiError ? error.fields : [];
}

export function ActorForm({ side, draftKey, definitionId, startName, startConfig = NOTHING, action, reread, check, keep }: Props) {
    const spec = useSpec(side, definitionId);
    const formId = useId();
    const [draft, setDraft] = useDraft<ActorDraft>(draftKey);
    const latest = useRef(draft);
    latest.current = draft;
    const begun = draft?.begun ?? { name: startName, config: startConfig };
    const name = draft?.name ?? begun.name;
    const [state, setState] = useState<State>({ step: "idle" });
    const running = useRef<AbortController | null>(null);
    // A form fills itself in; only what a hand did would be missed.
    const byHand = useRef(false);

    useEffect(
        () => () => {
            if (!latest.current?.unsaved) setDraft(undefined);
        },
        [setDraft],
    );

    function take(change: Partial<Pick<ActorDraft, "name" | "typed" | "toSend">>) {
        const now = latest.current;
        const from = now?.begun ?? begun;
        const next = { begun: from, name: now?.name ?? from.name, typed: now?.typed ?? from.config, toSend: now?.toSend ?? from.config, ...change };
        const differs = next.name !== from.name || !isSame(next.toSend, from.config);
        latest.current = { ...next, unsaved: differs && (byHand.current || now?.unsaved === true) };
        setDraft(latest.current);
        setState((old) => (old.step === "failed" && old.fields?.length ? { ...old, fields: [] } : old));
    }

    /** What is typed, onto what is kept by now; undefined: somebody else has changed the same. */
    async function settled(config: ConfigData): Promise<Kept | undefined> {
        const mine = { name: name.trim(), config };
        if (!reread) return mine;
        const theirs = await reread();
        const { both, config: whole } = merged(begun.config, config, theirs.config);
        const renamed = mine.name !== begun.name;
        if (renamed && theirs.name !== begun.name && theirs.name !== mine.name) both.unshift("its name");
        if (both.length === 0) return { name: renamed ? mine.name : theirs.name, config: whole };
        setState({ step: "conflict", theirs, both });
        return undefined;
    }

    function settle(theirs: Kept, ours: boolean) {
        const toSend = latest.current?.toSend ?? begun.config;
        const { config } = merged(begun.config, toSend, theirs.config, ours);
        const renamed = name !== begun.name && (ours || theirs.name === begun.name);
        const next = { begun: theirs, name: renamed ? name : theirs.name, typed: config, toSend: config };
        setDraft({ ...next, unsaved: next.name !== theirs.name || !isSame(config, theirs.config) });
        setState({ step: "idle" });
    }

    async function save(config: ConfigData) {
        setState({ step: "keeping" });
        const typed = latest.current?.typed;
        try {
            const whole = await settled(config);
            if (!whole) return;
            await keep(whole.name, whole.config);
            // What was typed meanwhile is not kept yet.
            if (latest.current?.typed === typed) setDraft(undefined);
            byHand.current = false;
            setState({ step: "idle" });
        } catch (error) {
            setState({ step: "failed", title: "It could not be kept", error: error as Error, logs: [], tested: false, fields: fieldsOf(error) });
        }
    }

    async function testAndKeep(config: ConfigData) {
        if (!name.trim()) {
            setState({ step: "failed", title: "A name is needed", error: new Error(`Give the ${side} a name that you will know again.`), logs: [], tested: false });
            return;
        }
        const controller = new AbortController();
        running.current = controller;
        setState({ step: "testing" });
        try {
            const whole = await settled(config);
            if (!whole) return;
            const answer = await check(whole.name, whole.config, controller.signal);
            if (answer.status === "succeeded") return await save(config);
            setState({
                step: "failed",
                title: "The test failed",
                error: new Error(answer.message ?? answer.jobInfo.failureReason?.externalMessage ?? "the connector did not say why"),
                logs: answer.jobInfo.logs?.logLines ?? [],
                tested: true,
            });
        } catch (error) {
            setState(
                controller.signal.aborted
                    ? { step: "idle" }
                    : { step: "failed", title: "The test could not be made", error: error as Error, logs: [], tested: true, fields: fieldsOf(error) },
            );
        }
    }

    if (spec.error) return <Notice kind="error">{spec.error.message}</Notice>;
    if (!spec.data) return <p aria-busy="true">Asking the connector what it needs…</p>;
    if (!spec.data.connectionSpecification)
        return (
            <Notice kind="error" title="The connector does not say what it needs">
                {spec.data.jobInfo.failureReason?.externalMessage ?? "Its spec could not be had."}
                <LogLines lines={spec.data.jobInfo.logs?.logLines ?? []} />
            </Notice>
        );
    const busy = state.step === "testing" || state.step === "keeping";
    return (
        <div className="actor-form" onInputCapture={() => (byHand.current = true)} onClickCapture={() => (byHand.current = true)}>
            {/^https?:/.test(spec.data.documentationUrl ?? "") && (
                <p className="quiet">
                    <a href={spec.data.documentationUrl} target="_blank" rel="noreferrer">
                        What its maker says of it
                    </a>
                </p>
            )}
            <Field label="Name" value={name} required maxLength={200} onChange={(event) => take({ name: event.target.value })} />
            <SpecForm
                id={formId}
                spec={spec.data.connectionSpecification}
                value={draft?.typed ?? begun.config}
                before={begun.config}
                refused={state.step === "failed" ? state.fields : undefined}
                onChange={(typed, toSend) => take({ typed, toSend })}
                onSubmit={(config) => void testAndKeep(config)}
            >
                {state.step === "conflict" && (
                    <Notice
                        kind="warning"
                        title={`Somebody else has changed this ${side} meanwhile`}
                        actions={
                            <div className="actions">
                                <Button onClick={() => settle(state.theirs, true)}>Keep mine</Button>
                                <Button onClick={() => settle(state.theirs, false)}>Take theirs</Button>
                            </div>
                        }
                    >
                        {state.both.join(", ")}: what is typed here is not what was kept meanwhile. Nothing is kept before you say.
                    </Notice>
                )}
                {state.step === "failed" && (
                    <Problem
                        error={state.error}
                        title={state.title}
                        actions={state.tested && <Button onClick={() => void save(latest.current?.toSend ?? begun.config)}>Keep it without a test</Button>}
                    >
                        <LogLines lines={state.logs} open />
                    </Problem>
                )}
                <div className="actions">
                    <Button kind="primary" type="submit" busy={busy}>
                        {state.step === "testing" ? "Testing…" : state.step === "keeping" ? "Keeping…" : action}
                    </Button>
                    {state.step === "testing" && <Button onClick={() => running.current?.abort()}>Stop the test</Button>}
                </div>
            </SpecForm>
        </div>
    );
}
