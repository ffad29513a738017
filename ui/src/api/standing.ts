// How the pages stand with the daemon: whether it answers, and whether it still knows who asks. Every call tells
// (client.ts); the frame shows it.
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

export type Standing = "well" | "away" | "ended";

let standing: Standing = "well";
const watchers = new Set<() => void>();

function stand(next: Standing) {
    if (standing === next) return;
    standing = next;
    for (const tell of watchers) tell();
}

export function unreachable() {
    stand("away");
}

export function answered() {
    if (standing === "away") stand("well");
}

let logIns = 0;

/** What was asked before somebody logged in is no news of the session. */
export function era(): number {
    return logIns;
}

export function sessionEnded(since: number) {
    if (since === logIns) stand("ended");
}

export function loggedIn() {
    logIns += 1;
    stand("well");
}

function watch(tell: () => void) {
    watchers.add(tell);
    return () => void watchers.delete(tell);
}

export function useStanding(): Standing {
    return useSyncExternalStore(watch, () => standing);
}

/** All that is shown is asked for anew; but no source is asked twice for its streams. */
export function askAnew(client: QueryClient) {
    return client.invalidateQueries({ predicate: ({ queryKey, state }) => queryKey[0] !== "discover" || state.data === undefined });
}
