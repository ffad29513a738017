// What was chosen and is not saved yet. It is kept while one goes from page to page; before the pages themselves are left
// the browser asks. Nothing of it is stored, for secrets may be part of it; who logs out leaves none behind.
import { useCallback, useSyncExternalStore } from "react";

interface Draft {
    /** Something would be lost. */
    unsaved: boolean;
}

const kept = new Map<string, Draft>();
const watchers = new Set<() => void>();

function ask(event: BeforeUnloadEvent) {
    event.preventDefault();
}

function changed() {
    if ([...kept.values()].some((draft) => draft.unsaved)) window.addEventListener("beforeunload", ask);
    else window.removeEventListener("beforeunload", ask);
    for (const tell of watchers) tell();
}

function watch(tell: () => void) {
    watchers.add(tell);
    return () => void watchers.delete(tell);
}

/** Of what is gone, or of everything: somebody else may be next. */
export function forgetDrafts(about = "") {
    for (const key of [...kept.keys()]) if (key.includes(about)) kept.delete(key);
    changed();
}

/** The draft of this name, undefined while there is none. A key has one type. */
export function useDraft<T extends Draft>(key: string): [T | undefined, (draft: T | undefined) => void] {
    const draft = useSyncExternalStore(watch, () => kept.get(key)) as T | undefined;
    const set = useCallback(
        (next: T | undefined) => {
            if (next) kept.set(key, next);
            else kept.delete(key);
            changed();
        },
        [key],
    );
    return [draft, set];
}
