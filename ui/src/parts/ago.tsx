// How long ago something was, or when it will be; true for as long as it is seen.
import { useSyncExternalStore } from "react";
import { fromNow, moment } from "./time";

const TICK_MS = 5_000;
const watchers = new Set<() => void>();
let ticks = 0;
let timer = 0;

function tick() {
    ticks++;
    for (const tell of watchers) tell();
}

function watch(tell: () => void) {
    if (watchers.size === 0) timer = window.setInterval(tick, TICK_MS);
    watchers.add(tell);
    return () => {
        watchers.delete(tell);
        if (watchers.size === 0) window.clearInterval(timer);
    };
}

/** `at`: milliseconds, or a time as the API writes it. Without one, what is said instead. */
export function Ago({ at, otherwise = "never" }: { at: number | string | null | undefined; otherwise?: string }) {
    useSyncExternalStore(watch, () => ticks);
    if (!at) return <>{otherwise}</>;
    const ms = typeof at === "number" ? at : Date.parse(at);
    return <time title={moment(ms)}>{fromNow(ms)}</time>;
}
