// Values over time, by uPlot: a line of what is measured on and on, bars of what happened one by one. What it shows is
// said in words too, and can be read as a table, for whoever does not see it.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useShade } from "../app/theme";
import { clock, day, hourAndMinute, moment } from "./time";

interface Props {
    title: string;
    /** What it shows, as a sentence. */
    summary: string;
    /** Seconds, ascending. Bars stand side by side whatever the time between them. */
    at: number[];
    values: (number | null)[];
    format: (value: number) => string;
    /** Short, where `format` is not. */
    axis?: (value: number) => string;
    bars?: boolean;
    /** The axis goes up to this at least. */
    least?: number;
}

const HEIGHT = 180;
/** The last minutes, as many as there is something of. */
const WINDOW_MIN_S = 60;
const WINDOW_MAX_S = 300;
const DAY_S = 20 * 3600;
const ROWS_MAX = 50;

function seriesOf(style: CSSStyleDeclaration, bars: boolean): uPlot.Series {
    const stroke = style.getPropertyValue("--accent");
    if (bars) return { stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.7, 26, 1], radius: 0.15 }) };
    return { stroke, width: 2, fill: style.getPropertyValue("--accent-soft") };
}

/** A line shows the last minutes, from the right. uPlot's own bounds are of no use where there is one value, or none. */
function lastMinutes(plot: uPlot): [number, number] {
    const times = plot.data[0];
    const most = times[times.length - 1] ?? Date.now() / 1000;
    const shown = most - (times[0] ?? most);
    return [most - Math.min(WINDOW_MAX_S, Math.max(WINDOW_MIN_S, shown)), most];
}

function minutesOf(_plot: uPlot, splits: number[]): string[] {
    const within = splits.length > 1 && splits[1]! - splits[0]! < 60;
    return splits.map((split) => (within ? clock(split * 1000) : hourAndMinute(split * 1000)));
}

/** What a bar stands for is its number; what is said of it, its time. */
function timesOf(plot: uPlot, splits: number[], times: number[]): string[] {
    const days = (times[times.length - 1] ?? 0) - (times[0] ?? 0) > DAY_S;
    return splits.map((split) => {
        const time = Number.isInteger(split) ? times[split] : undefined;
        return time === undefined || plot.width < 200 ? "" : days ? day(time * 1000) : clock(time * 1000);
    });
}

function Rows({ title, at, values, format }: Props) {
    const rows = at.map((time, index) => ({ index, time, value: values[index] ?? null })).slice(-ROWS_MAX).reverse();
    return (
        <details className="as-table">
            <summary>{title} as a table</summary>
            <div className="table-frame" tabIndex={0} role="region" aria-label={`${title}, a table`}>
                <table>
                    <tbody>
                        {rows.map(({ index, time, value }) => (
                            <tr key={index}>
                                <td>{moment(time * 1000)}</td>
                                <td className="number">{value === null ? "–" : format(value)}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </div>
        </details>
    );
}

export function Chart(props: Props) {
    const { title, summary, at, values, format, axis: mark = format, bars = false, least = 1 } = props;
    const place = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const shade = useShade();
    const times = useRef(at);
    times.current = at;

    useEffect(() => {
        const element = place.current;
        if (!element) return;
        const style = getComputedStyle(element);
        const axis: uPlot.Axis = {
            stroke: style.getPropertyValue("--quiet"),
            grid: { stroke: style.getPropertyValue("--line"), width: 1 },
            ticks: { show: false },
            font: `12px ${style.fontFamily}`,
        };
        plot.current = new uPlot(
            {
                width: element.clientWidth,
                height: HEIGHT,
                legend: { show: false },
                cursor: { drag: { x: false, y: false }, points: { show: !bars } },
                scales: { x: bars ? { time: false, range: (_plot, low, high) => [low - 0.6, high + 0.6] } : { range: lastMinutes }, y: { range: (_plot, _low, high) => [0, Math.max(least, high * 1.1)] } },
                axes: [{ ...axis, grid: { show: false }, size: 34, ...(!bars && { space: 90, values: minutesOf }), ...(bars && { space: 90, incrs: [1, 2, 5, 10, 20, 50], values: (plot, splits) => timesOf(plot, splits, times.current) }) }, { ...axis, size: 64, values: (_plot, splits) => splits.map(mark) }],
                series: [{}, seriesOf(style, bars)],
            },
            [[], []],
            element,
        );
        const watch = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
        watch.observe(element);
        return () => {
            watch.disconnect();
            plot.current?.destroy();
            plot.current = null;
        };
    }, [mark, bars, least, shade]);

    useEffect(() => plot.current?.setData([bars ? at.map((_time, index) => index) : at, values]), [at, values, shade, mark, bars, least]);

    return (
        <figure className="card chart">
            <figcaption>
                <strong>{title}</strong> <span className="quiet">{summary}</span>
            </figcaption>
            <div ref={place} aria-hidden="true" className="plot" />
            <Rows {...props} />
        </figure>
    );
}
