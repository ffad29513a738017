// What was chosen of a connection's streams and is not saved yet: of those alone with which something else is to be done.
// Somebody else, or the source, may change the others meanwhile, and this one too.
import { streamId, type StreamChoice, type StreamConfig } from "../../api/streams";

export interface StreamChange {
    name: string;
    now: StreamConfig;
    /** As it was when it was changed here. */
    before: StreamConfig;
}

export type StreamChanges = Record<string, StreamChange>;

/** Two say the same, whatever the order that their members come in. */
export function sameConfig(a: StreamConfig | undefined, b: StreamConfig | undefined): boolean {
    const text = (config: StreamConfig | undefined) =>
        JSON.stringify(
            Object.entries(config ?? {})
                .filter(([, value]) => value !== undefined)
                .sort(([x], [y]) => (x < y ? -1 : 1)),
        );
    return text(a) === text(b);
}

export function applied(streams: StreamChoice[], changes: StreamChanges): StreamChoice[] {
    return streams.map((choice) => ({ ...choice, config: changes[streamId(choice.stream)]?.now ?? choice.config }));
}

/** What of `next` is not as it is in `base`. */
export function changesOf(next: StreamChoice[], base: StreamChoice[], earlier: StreamChanges): StreamChanges {
    const was = new Map(base.map((choice) => [streamId(choice.stream), choice.config]));
    const changes: StreamChanges = {};
    for (const { stream, config: now } of next) {
        const id = streamId(stream);
        const before = earlier[id]?.before ?? was.get(id);
        if (before && !sameConfig(now, before)) changes[id] = { name: stream.name, now, before };
    }
    return changes;
}

/** Changes of streams with which somebody else does something else by now; of one that is gone, too. */
export function conflictsOf(changes: StreamChanges, current: StreamChoice[]): string[] {
    const is = new Map(current.map((choice) => [streamId(choice.stream), choice.config]));
    return Object.entries(changes)
        .filter(([id, { now, before }]) => !sameConfig(is.get(id), before) && !sameConfig(is.get(id), now))
        .map(([id]) => id);
}
