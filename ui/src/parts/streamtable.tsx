// The streams of a source, each with a switch and what is done with it. Only the rows that are seen are drawn: sources have
// hundreds of streams.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import type { DestinationSyncMode } from "../api/actors";
import { isWay, modesOf, problemOf, streamId, waysOf, withSelected, type StreamChoice, type StreamConfig } from "../api/streams";
import { Button, Switch } from "./basics";

interface Props {
    streams: StreamChoice[];
    destinationModes: DestinationSyncMode[];
    onChange: (streams: StreamChoice[]) => void;
    /** The id of the stream that is to be seen, anew with each object. */
    reveal?: { id: string };
}

/** Which streams need something more, and where to see what. */
export function askedOf(wrong: StreamChoice[]): string {
    const names = wrong.slice(0, 3).map((choice) => choice.stream.name);
    const more = wrong.length - names.length;
    return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}: something more is needed, see what is said in red.`;
}

function fieldsOf(choice: StreamChoice): string[] {
    return Object.keys(choice.stream.jsonSchema?.properties ?? {});
}

function Row({ choice, modes, onConfig }: { choice: StreamChoice; modes: DestinationSyncMode[]; onConfig: (config: StreamConfig) => void }) {
    const { stream, config } = choice;
    const [open, setOpen] = useState(false);
    const ways = waysOf(stream, modes);
    const fields = fieldsOf(choice);
    const chosen = ways.findIndex((way) => isWay(config, way));
    const problem = problemOf(choice);
    const left = new Set(config.fieldSelectionEnabled ? (config.selectedFields ?? []).map((field) => field.fieldPath[0]) : fields);

    function keepField(name: string, kept: boolean) {
        const names = fields.filter((field) => (field === name ? kept : left.has(field)));
        onConfig({
            ...config,
            fieldSelectionEnabled: names.length < fields.length,
            selectedFields: names.length < fields.length ? names.map((field) => ({ fieldPath: [field] })) : [],
        });
    }

    return (
        <div className={`stream${problem ? " wrong" : ""}`}>
            <div className="stream-main">
                <Switch
                    label={stream.namespace ? `${stream.namespace}.${stream.name}` : stream.name}
                    checked={config.selected ?? false}
                    onChange={(selected) => onConfig(withSelected(choice, selected, modes).config)}
                />
                <select
                    aria-label={`How ${stream.name} is moved`}
                    value={chosen}
                    disabled={!config.selected || ways.length === 0}
                    onChange={(event) => onConfig({ ...config, ...modesOf(ways[Number(event.target.value)]!) })}
                >
                    {chosen < 0 && <option value={-1}>Choose how it is moved</option>}
                    {ways.map((way, index) => (
                        <option key={way.label} value={index}>
                            {way.label}
                        </option>
                    ))}
                </select>
                <Button aria-expanded={open} aria-label={`Fields of ${stream.name}`} onClick={() => setOpen(!open)} disabled={!config.selected}>
                    {config.fieldSelectionEnabled ? `${left.size} of ${fields.length} fields` : `${fields.length} ${fields.length === 1 ? "field" : "fields"}`}
                </Button>
            </div>
            {problem && <p className="problem">{problem}</p>}
            {config.selected && config.syncMode === "incremental" && !stream.sourceDefinedCursor && (
                <label className="stream-more">
                    Cursor
                    <select
                        value={config.cursorField?.[0] ?? ""}
                        onChange={(event) => onConfig({ ...config, cursorField: event.target.value ? [event.target.value] : [] })}
                    >
                        <option value="">Choose a field</option>
                        {fields.map((field) => (
                            <option key={field}>{field}</option>
                        ))}
                    </select>
                </label>
            )}
            {config.selected && config.destinationSyncMode.endsWith("dedup") && !stream.sourceDefinedPrimaryKey?.length && (
                <label className="stream-more">
                    Primary key
                    <select
                        multiple
                        size={Math.min(4, fields.length)}
                        value={(config.primaryKey ?? []).map((path) => path[0] ?? "")}
                        onChange={(event) => onConfig({ ...config, primaryKey: [...event.target.selectedOptions].map((option) => [option.value]) })}
                    >
                        {fields.map((field) => (
                            <option key={field}>{field}</option>
                        ))}
                    </select>
                </label>
            )}
            {open && config.selected && (
                <fieldset className="stream-fields">
                    <legend className="sr-only">Fields of {stream.name}</legend>
                    {fields.map((field) => (
                        <label key={field}>
                            <input type="checkbox" checked={left.has(field)} onChange={(event) => keepField(field, event.target.checked)} />
                            {field}
                        </label>
                    ))}
                </fieldset>
            )}
        </div>
    );
}

export function StreamTable({ streams, destinationModes, onChange, reveal }: Props) {
    const [search, setSearch] = useState("");
    const frame = useRef<HTMLDivElement>(null);
    const shown = useMemo(() => {
        const wanted = search.trim().toLowerCase();
        return streams.map((choice, index) => ({ choice, index })).filter(({ choice }) => `${choice.stream.namespace ?? ""}.${choice.stream.name}`.toLowerCase().includes(wanted));
    }, [streams, search]);
    const rows = useVirtualizer({
        count: shown.length,
        getScrollElement: () => frame.current,
        estimateSize: () => 64,
        getItemKey: (index) => streamId(shown[index]!.choice.stream),
        overscan: 8,
    });
    const selected = streams.filter((choice) => choice.config.selected).length;
    const sought = useRef<typeof reveal>(undefined);

    useEffect(() => {
        if (reveal) setSearch("");
        sought.current = reveal;
    }, [reveal]);

    useEffect(() => {
        const index = search ? -1 : shown.findIndex(({ choice }) => streamId(choice.stream) === sought.current?.id);
        if (index < 0) return;
        sought.current = undefined;
        rows.scrollToIndex(index, { align: "center" });
        frame.current?.scrollIntoView({ block: "nearest" });
    }, [reveal, search, shown, rows]);

    function set(index: number, config: StreamConfig) {
        onChange(streams.map((choice, at) => (at === index ? { ...choice, config } : choice)));
    }

    function setAll(on: boolean) {
        const touched = new Set(shown.map(({ index }) => index));
        onChange(streams.map((choice, at) => (touched.has(at) ? withSelected(choice, on, destinationModes) : choice)));
    }

    return (
        <div>
            <div className="toolbar" role="search">
                <input type="search" aria-label="Search streams" placeholder="Search streams" value={search} onChange={(event) => setSearch(event.target.value)} />
                <Button onClick={() => setAll(true)}>Select {search ? "these" : "all"}</Button>
                <Button onClick={() => setAll(false)}>Select none</Button>
                <p className="quiet" role="status">
                    {selected} of {streams.length} selected
                </p>
            </div>
            <div className="card streams" ref={frame} tabIndex={-1}>
                <div style={{ height: rows.getTotalSize(), position: "relative" }} role="list" aria-label="Streams">
                    {rows.getVirtualItems().map((row) => {
                        const { choice, index } = shown[row.index]!;
                        return (
                            <div key={row.key} role="listitem" data-index={row.index} ref={rows.measureElement} style={{ position: "absolute", insetInline: 0, top: 0, transform: `translateY(${row.start}px)` }}>
                                <Row choice={choice} modes={destinationModes} onConfig={(config) => set(index, config)} />
                            </div>
                        );
                    })}
                </div>
                {shown.length === 0 && <p className="nothing quiet">No stream is called that.</p>}
            </div>
        </div>
    );
}
