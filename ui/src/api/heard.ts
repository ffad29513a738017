// What an event changes of what the pages have read.
import type { QueryClient } from "@tanstack/react-query";
import type { ConnectionItem, JobStatus } from "./connections";
import { ENDED, type JobDetails, type Stats, type StreamStats } from "./jobs";
import type { Live, TaskStatus } from "./tasks";

interface JobNews {
    id: number;
    connectionId: string;
    status: JobStatus;
    attempt: number;
    createdAt: number;
}

interface ProgressNews extends JobNews {
    stats: Stats;
    streamStats: StreamStats[];
}

interface TaskNews {
    task: string;
    state: string;
    live: Live | null;
}

/** The keys of what events tell of. */
const TOLD = ["connections", "connection", "history", "job", "status"];

function hearJob(client: QueryClient, news: JobNews) {
    const over = ENDED.has(news.status);
    client.setQueryData<ConnectionItem[]>(["connections"], (items) =>
        items?.map((item) =>
            item.connectionId === news.connectionId
                ? { ...item, isSyncing: !over, latestSyncJobStatus: news.status, latestSyncJobCreatedAt: news.createdAt, nextRunAt: undefined }
                : item,
        ),
    );
    void client.invalidateQueries({ queryKey: ["history", news.connectionId] });
    void client.invalidateQueries({ queryKey: ["job", news.id] });
}

function sameStream(a: StreamStats, b: StreamStats): boolean {
    return a.streamName === b.streamName && (a.streamNamespace ?? "") === (b.streamNamespace ?? "");
}

function hearProgress(client: QueryClient, news: ProgressNews) {
    client.setQueryData<JobDetails>(["job", news.id], (details) => {
        const attempt = details?.attempts[news.attempt];
        if (!details || !attempt) return details;
        const before = (attempt.streamStats ?? []).filter((stream) => !news.streamStats.some((moved) => sameStream(moved, stream)));
        const now = { ...attempt, totalStats: news.stats, streamStats: [...before, ...news.streamStats] };
        return { ...details, attempts: details.attempts.with(news.attempt, now) };
    });
}

/** What is committed grows; how much of each collection is asked for later. */
function changed(task: TaskStatus, news: TaskNews): TaskStatus {
    const { live } = news;
    const grew = live !== null && live.documents > (task.live?.documents ?? 0);
    return {
        ...task,
        state: news.state,
        live,
        committed_at: grew ? new Date().toISOString() : task.committed_at,
        session: live && task.session?.outcome === "running" ? { ...task.session, documents: live.documents, bytes: live.bytes } : task.session,
    };
}

function hearTask(client: QueryClient, news: TaskNews) {
    client.setQueryData<TaskStatus[]>(["status"], (tasks) =>
        tasks?.map((task) => (task.task === news.task ? changed(task, news) : task)),
    );
}

export function hear(client: QueryClient, name: string, data: unknown) {
    if (name === "job") hearJob(client, data as JobNews);
    else if (name === "progress") hearProgress(client, data as ProgressNews);
    else if (name === "task") hearTask(client, data as TaskNews);
    else if (name === "tasks") void client.invalidateQueries({ queryKey: ["status"] });
    else if (name === "reset") void client.invalidateQueries({ predicate: (query) => TOLD.includes(String(query.queryKey[0])) });
}
