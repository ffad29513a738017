// Values over time, by uPlot: a line of what is measured on and on, bars of what happened one by one. What it shows is
// said in words too, and can be read as a table, for whoever does not see it.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "../app/theme";
import { moment } from "./time";

interface Props {
    title: string;
    /** What it shows, as a sentence. */
    summary: string;
    /** Seconds, ascending. */
    at: number[];
    values: (number | null)[];
    format: (value: number) => string;
    bars?: boolean;
}

const HEIGHT = 180;
const ROWS_MAX = 50;

function seriesOf(style: CSSStyleDeclaration, bars: boolean): uPlot.Series {
    const stroke = style.getPropertyValue("--accent");
    if (bars) return { stroke, fill: stroke, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.7, 26, 3], radius: 0.15 }) };
    return { stroke, width: 2, fill: style.getPropertyValue("--accent-soft") };
}

/** One bar by itself would have no width of time around it. */
function widen(_plot: uPlot, least: number, most: number): [number, number] {
    const room = Math.max((most - least) * 0.04, 60);
    return [least - room, most + room];
}

function Rows({ title, at, values, format }: Props) {
    const rows = at.map((time, index) => ({ time, value: values[index] ?? null })).slice(-ROWS_MAX).reverse();
    return (
        <details className="as-table">
            <summary>{title} as a table</summary>
            <div className="table-frame" tabIndex={0} role="region" aria-label={`${title}, a table`}>
                <table>
                    <tbody>
                        {rows.map(({ time, value }) => (
                            <tr key={time}>
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
    const { title, summary, at, values, format, bars = false } = props;
    const place = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const theme = useTheme();

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
                scales: { x: bars ? { range: widen } : {}, y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
                axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 64, values: (_plot, splits) => splits.map(format) }],
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
    }, [format, bars, theme]);

    useEffect(() => plot.current?.setData([at, values]), [at, values, theme, format, bars]);

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
