// Webhooks that are told when a sync succeeds or fails.
import { useState } from "react";
import { tryWebhook, useUpdateWorkspace, useWorkspace, type Trigger, type Workspace } from "../../api/settings";
import { Button, Field, Notice, Problem } from "../../parts/basics";

const TRIGGERS: [Trigger, string][] = [
    ["sendOnFailure", "When a sync fails"],
    ["sendOnSuccess", "When a sync succeeds"],
];

function webhookOf(workspace: Workspace | undefined, trigger: Trigger): string {
    return workspace?.notificationSettings?.[trigger]?.slackConfiguration?.webhook ?? "";
}

export function Notifications() {
    const workspace = useWorkspace();
    const update = useUpdateWorkspace();
    const [typed, setTyped] = useState<Partial<Record<Trigger, string>>>({});
    const [told, setTold] = useState<string | Error | null>(null);

    /** What is kept comes without its secrets; it is sent back as it came, and so stays what it is. */
    const urls: Record<Trigger, string> = {
        sendOnFailure: typed.sendOnFailure ?? webhookOf(workspace.data, "sendOnFailure"),
        sendOnSuccess: typed.sendOnSuccess ?? webhookOf(workspace.data, "sendOnSuccess"),
    };

    async function test(trigger: Trigger) {
        setTold(null);
        try {
            const answer = await tryWebhook(trigger, urls[trigger]);
            setTold(answer.status === "succeeded" ? "The webhook took it." : new Error(answer.message ?? "The webhook did not take it."));
        } catch (error) {
            setTold(error as Error);
        }
    }

    function keep() {
        setTold(null);
        const entries = TRIGGERS.map(([trigger]) => [
            trigger,
            urls[trigger] ? { notificationType: ["slack"], slackConfiguration: { webhook: urls[trigger] } } : { notificationType: [] },
        ]);
        update.mutate(
            { notificationSettings: { ...workspace.data?.notificationSettings, ...Object.fromEntries(entries) } },
            {
                onSuccess: () => setTold("Kept."),
                onError: setTold,
            },
        );
    }

    return (
        <section className="card padded fields narrow">
            <h2>Notifications</h2>
            <p className="quiet">A webhook is posted to, as Slack and Airbyte have it. An address that is kept is shown without its secrets: to try it, type it again.</p>
            {TRIGGERS.map(([trigger, label]) => (
                <div className="in-row end" key={trigger}>
                    <Field label={label} type="url" placeholder="https://" value={urls[trigger]} onChange={(event) => setTyped({ ...typed, [trigger]: event.target.value })} />
                    <Button disabled={!typed[trigger]} aria-label={`Try: ${label}`} onClick={() => void test(trigger)}>
                        Try
                    </Button>
                </div>
            ))}
            {typeof told === "string" ? <Notice kind="success">{told}</Notice> : <Problem error={told} />}
            <div className="actions">
                <Button kind="primary" busy={update.isPending} onClick={keep}>
                    Keep
                </Button>
            </div>
        </section>
    );
}
