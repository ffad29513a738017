import type { ConnectionItem, JobStatus } from "../api/connections";
import { Badge, type Tone } from "./basics";

const JOBS: Record<JobStatus, [Tone, string]> = {
    pending: ["waiting", "Waiting"],
    running: ["active", "Running"],
    incomplete: ["waiting", "Trying again"],
    failed: ["bad", "Failed"],
    succeeded: ["good", "Succeeded"],
    cancelled: ["off", "Cancelled"],
};

export function JobBadge({ status }: { status: JobStatus }) {
    const [tone, word] = JOBS[status];
    return <Badge tone={tone}>{word}</Badge>;
}

/** How a connection is, in one word: what its last job says, unless something else matters more. */
export function connectionState(item: ConnectionItem): { tone: Tone; word: string } {
    if (item.isSyncing) return { tone: "active", word: "Syncing" };
    if (item.status !== "active") return { tone: "off", word: "Off" };
    if (item.schemaChange === "breaking") return { tone: "bad", word: "Schema changed" };
    if (!item.latestSyncJobStatus) return { tone: "waiting", word: "Never ran" };
    const [tone, word] = JOBS[item.latestSyncJobStatus];
    return { tone, word };
}

export function ConnectionBadge({ item }: { item: ConnectionItem }) {
    const { tone, word } = connectionState(item);
    return <Badge tone={tone}>{word}</Badge>;
}
