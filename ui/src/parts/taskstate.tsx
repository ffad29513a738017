import { Badge, type Tone } from "./basics";

const TONES: Record<string, Tone> = {
    running: "active",
    preparing: "active",
    queued: "waiting",
    waiting: "good",
    done: "good",
    "backing off": "waiting",
    failed: "bad",
    disabled: "off",
    stopped: "off",
};

export function TaskBadge({ state }: { state: string | null }) {
    return <Badge tone={TONES[state ?? ""] ?? "off"}>{state ?? "not deployed"}</Badge>;
}
