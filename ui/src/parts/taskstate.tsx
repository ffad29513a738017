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
    const word = state ?? "not deployed";
    return <Badge tone={TONES[word] ?? "off"}>{word.charAt(0).toUpperCase() + word.slice(1)}</Badge>;
}
