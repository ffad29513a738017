// What jobs and tasks do, told by the daemon as it happens (server-sent events), put into what the pages have read. One
// stream for the whole application, of the topics that the open page wants, while it is seen. Pages ask by themselves
// now and then in any case, and often where there is no stream.
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { hear } from "./heard";

export type Topic = "jobs" | "tasks" | `connection:${string}`;

const AGAIN_MS = 2_000;
const REFUSED_MS = 30_000;
/** How often pages ask while they are told. */
export const RARELY_MS = 20_000;

const wanted = new Map<Topic, number>();
const watchers = new Set<() => void>();
let client: QueryClient | null = null;
let running: { topics: string; controller: AbortController } | null = null;
let live = false;
let broken = false;
let timer = 0;

function setLive(now: boolean) {
    if (live === now) return;
    live = now;
    for (const tell of watchers) tell();
}

/** "name" and data of each event of a stream, as far as it has come; the rest of the text. */
export function split(text: string, take: (name: string, data: unknown) => void): string {
    const parts = text.split("\n\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) {
        const lines = part.split("\n");
        const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
        const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
        if (name && data) take(name, JSON.parse(data));
    }
    return rest;
}

async function listen(topics: string, signal: AbortSignal): Promise<number> {
    const response = await fetch(`/api/firth/v1/events?topic=${topics}`, { headers: { "Firth-Page": "1" }, signal });
    if (!response.ok || !response.body) return REFUSED_MS;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; ; ) {
        const { done, value } = await reader.read();
        if (done) return AGAIN_MS;
        text = split(text + value, (name, data) => {
            // What happened while nobody listened is to be asked for.
            if (name === "ready" && broken && client) hear(client, "reset", {});
            if (name === "ready") setLive(true);
            else if (client) hear(client, name, data);
        });
    }
}

async function keepListening(topics: string, controller: AbortController) {
    let again = AGAIN_MS;
    try {
        again = await listen(topics, controller.signal);
    } catch {
        // It broke, or is not wanted any more.
    }
    if (running?.controller !== controller) return;
    running = null;
    broken = true;
    setLive(false);
    window.clearTimeout(timer);
    timer = window.setTimeout(settle, again);
}

/** Listen to what is wanted now, and to nothing else. */
function settle() {
    const topics = document.hidden ? "" : [...wanted.keys()].sort().join(",");
    if (running?.topics === topics) return;
    if (running && !topics) broken = true;
    running?.controller.abort();
    running = null;
    window.clearTimeout(timer);
    if (!topics) return setLive(false);
    const controller = new AbortController();
    running = { topics, controller };
    void keepListening(topics, controller);
}

// Pages that follow each other change what is wanted twice: once is enough.
function settleSoon() {
    window.clearTimeout(timer);
    timer = window.setTimeout(settle, 0);
}

document.addEventListener("visibilitychange", settleSoon);

function want(topic: Topic) {
    wanted.set(topic, (wanted.get(topic) ?? 0) + 1);
    settleSoon();
    return () => {
        const left = (wanted.get(topic) ?? 1) - 1;
        if (left) wanted.set(topic, left);
        else wanted.delete(topic);
        settleSoon();
    };
}

function watch(tell: () => void) {
    watchers.add(tell);
    return () => void watchers.delete(tell);
}

/** Be told of this; whether that is so just now, and so how often is to be asked. */
export function useEvents(topic: Topic, often: number): number {
    client = useQueryClient();
    useEffect(() => want(topic), [topic]);
    return useSyncExternalStore(watch, () => live) ? RARELY_MS : often;
}

/** Ask every so often while the page is seen. A query's own interval begins anew with each event that changes what was
 * read, and would never be over where much is told. */
export function useAskedAgain(ask: (options: { cancelRefetch: boolean }) => unknown, interval: number) {
    useEffect(() => {
        const timer = window.setInterval(() => {
            if (!document.hidden) void ask({ cancelRefetch: false });
        }, interval);
        return () => window.clearInterval(timer);
    }, [ask, interval]);
}
