// A source's or a destination's name and configuration: tested with its connector first, kept when that went well.
import { useId, useRef, useState } from "react";
import type { Check, Side } from "../api/actors";
import { useSpec } from "../api/actors";
import { Button, Field, Notice } from "../parts/basics";
import { LogLines } from "../parts/logs";
import { SpecForm } from "./specform";
import type { ConfigData } from "./uischema";

interface Props {
    side: Side;
    definitionId: string;
    startName: string;
    startConfig?: ConfigData;
    /** What the button that tests and keeps says. */
    action: string;
    check: (name: string, config: ConfigData, signal: AbortSignal) => Promise<Check>;
    keep: (name: string, config: ConfigData) => Promise<void>;
}

type State =
    | { step: "idle" }
    | { step: "testing" }
    | { step: "keeping" }
    | { step: "failed"; title: string; message: string; logs: string[]; tested: boolean };

export function ActorForm({ side, definitionId, startName, startConfig, action, check, keep }: Props) {
    const spec = useSpec(side, definitionId);
    const formId = useId();
    const [name, setName] = useState(startName);
    const [before] = useState<ConfigData>(startConfig ?? {});
    const [value, setValue] = useState(before);
    const sent = useRef(before);
    const [state, setState] = useState<State>({ step: "idle" });
    const running = useRef<AbortController | null>(null);

    function take(typed: ConfigData, toSend: ConfigData) {
        setValue(typed);
        sent.current = toSend;
    }

    async function save(config: ConfigData) {
        setState({ step: "keeping" });
        try {
            await keep(name.trim(), config);
            setState({ step: "idle" });
        } catch (error) {
            setState({ step: "failed", title: "It could not be kept", message: (error as Error).message, logs: [], tested: false });
        }
    }

    async function testAndKeep(config: ConfigData) {
        if (!name.trim()) {
            setState({ step: "failed", title: "A name is needed", message: `Give the ${side} a name that you will know again.`, logs: [], tested: false });
            return;
        }
        const controller = new AbortController();
        running.current = controller;
        setState({ step: "testing" });
        try {
            const answer = await check(name.trim(), config, controller.signal);
            if (answer.status === "succeeded") return await save(config);
            setState({
                step: "failed",
                title: "The test failed",
                message: answer.message ?? answer.jobInfo.failureReason?.externalMessage ?? "the connector did not say why",
                logs: answer.jobInfo.logs?.logLines ?? [],
                tested: true,
            });
        } catch (error) {
            setState(
                controller.signal.aborted
                    ? { step: "idle" }
                    : { step: "failed", title: "The test could not be made", message: (error as Error).message, logs: [], tested: true },
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
        <div className="actor-form">
            {/^https?:/.test(spec.data.documentationUrl ?? "") && (
                <p className="quiet">
                    <a href={spec.data.documentationUrl} target="_blank" rel="noreferrer">
                        What its maker says of it
                    </a>
                </p>
            )}
            <Field label="Name" value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
            <SpecForm id={formId} spec={spec.data.connectionSpecification} value={value} before={before} onChange={take} onSubmit={(config) => void testAndKeep(config)}>
                {state.step === "failed" && (
                    <Notice
                        kind="error"
                        title={state.title}
                        actions={state.tested && <Button onClick={() => void save(sent.current)}>Keep it without a test</Button>}
                    >
                        {state.message}
                        <LogLines lines={state.logs} open />
                    </Notice>
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
