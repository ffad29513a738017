// A log that is followed, searched and downloaded. Only the lines that are seen are drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { logUrl, useLog, type LogLine } from "../api/logs";
import { Button } from "./basics";
import { clock, moment } from "./time";

interface Props {
    /** Where it is had from (api/logs.ts). */
    path: string;
    label: string;
    /** More may come. */
    running: boolean;
}

const LEVELS: Record<string, string> = { "": "Every line", warn: "Warnings and errors", error: "Errors" };

function isWanted(line: LogLine, level: string, text: string): boolean {
    if (level === "error" && line.level !== "error") return false;
    if (level === "warn" && line.level !== "error" && line.level !== "warn") return false;
    return !text || line.message.toLowerCase().includes(text) || (line.origin ?? "").toLowerCase().includes(text);
}

function Lines({ lines, follow, label }: { lines: LogLine[]; follow: boolean; label: string }) {
    const frame = useRef<HTMLDivElement>(null);
    const rows = useVirtualizer({ count: lines.length, getScrollElement: () => frame.current, estimateSize: () => 22, overscan: 20 });
    const height = rows.getTotalSize();
    // How high lines are is known once they are drawn: the end is further down then, and the whole is higher.
    useEffect(() => {
        if (follow) frame.current?.scrollTo(0, frame.current.scrollHeight);
    }, [follow, lines.length, height]);
    return (
        <div className="log" ref={frame} tabIndex={0} role="log" aria-live="off" aria-label={label}>
            <div style={{ height, position: "relative" }}>
                {rows.getVirtualItems().map((row) => {
                    const line = lines[row.index]!;
                    return (
                        <p
                            key={row.key}
                            data-index={row.index}
                            ref={rows.measureElement}
                            className={`log-line ${line.level}`}
                            style={{ position: "absolute", insetInline: 0, top: 0, transform: `translateY(${row.start}px)` }}
                        >
                            <time title={moment(Date.parse(line.ts))}>{clock(Date.parse(line.ts))}</time>{" "}
                            {(line.level === "error" || line.level === "warn") && <strong>{line.level} </strong>}
                            {line.origin && <span className="quiet">{line.origin}: </span>}
                            {line.message}
                        </p>
                    );
                })}
            </div>
        </div>
    );
}

export function Log({ path, label, running }: Props) {
    const [shown, setShown] = useState(false);
    const [search, setSearch] = useState("");
    const [level, setLevel] = useState("");
    const [follow, setFollow] = useState(running);
    const log = useLog(path, running, shown);
    const wanted = useDeferredValue(search.trim().toLowerCase());
    const lines = useMemo(() => (log.data?.lines ?? []).filter((line) => isWanted(line, level, wanted)), [log.data, level, wanted]);
    return (
        <div className="log-frame">
            <div className="actions">
                <Button aria-expanded={shown} onClick={() => setShown(!shown)}>
                    {shown ? "Hide the log" : "Show the log"}
                </Button>
                <a className="button" href={logUrl(path)} download>
                    Download the log
                </a>
            </div>
            {shown && (
                <>
                    <div className="toolbar log-tools" role="search">
                        <input type="search" aria-label="Search the log" placeholder="Search the log" value={search} onChange={(event) => setSearch(event.target.value)} />
                        <select aria-label="Lines that are shown" value={level} onChange={(event) => setLevel(event.target.value)}>
                            {Object.entries(LEVELS).map(([value, word]) => (
                                <option key={value} value={value}>
                                    {word}
                                </option>
                            ))}
                        </select>
                        {running && (
                            <label className="check">
                                <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.target.checked)} /> Follow
                            </label>
                        )}
                        <p className="quiet" role="status">
                            {log.isPending ? "Reading…" : `${lines.length} ${lines.length === 1 ? "line" : "lines"}`}
                        </p>
                    </div>
                    {log.error && <p className="problem">{log.error.message}</p>}
                    {lines.length > 0 && <Lines lines={lines} follow={follow} label={label} />}
                </>
            )}
        </div>
    );
}
