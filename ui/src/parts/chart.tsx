// A line over time, by uPlot. What it shows is said in words too, for whoever does not see it.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

interface Props {
    title: string;
    /** What the line says, as a sentence. */
    summary: string;
    at: number[];
    values: (number | null)[];
    format: (value: number) => string;
}

const HEIGHT = 180;

export function Chart({ title, summary, at, values, format }: Props) {
    const place = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);

    useEffect(() => {
        const element = place.current;
        if (!element) return;
        const style = getComputedStyle(element);
        const axis: uPlot.Axis = { stroke: style.getPropertyValue("--quiet"), grid: { stroke: style.getPropertyValue("--line") }, ticks: { show: false } };
        plot.current = new uPlot(
            {
                width: element.clientWidth,
                height: HEIGHT,
                legend: { show: false },
                cursor: { drag: { x: false, y: false } },
                scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
                axes: [axis, { ...axis, size: 70, values: (_plot, splits) => splits.map(format) }],
                series: [{}, { stroke: style.getPropertyValue("--accent"), width: 2, fill: style.getPropertyValue("--accent-soft") }],
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
    }, [format]);

    useEffect(() => plot.current?.setData([at, values]), [at, values]);

    return (
        <figure className="card chart">
            <figcaption>
                <strong>{title}</strong> <span className="quiet">{summary}</span>
            </figcaption>
            <div ref={place} aria-hidden="true" />
        </figure>
    );
}
