// What the syncs of a connection moved, and how long each took.
import { useMemo } from "react";
import { hasEnded, type Job } from "../../api/jobs";
import { Chart } from "../../parts/chart";
import { about, count, seconds, span } from "../../parts/time";
import { took } from "./history";

const SHOWN = 100;

function middle(values: number[]): number {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function HistoryCharts({ jobs }: { jobs: Job[] }) {
    const { at, records, times } = useMemo(() => {
        const over = jobs.filter((job) => hasEnded(job) && job.configType !== "reset_connection").slice(0, SHOWN).reverse();
        return { at: over.map((job) => job.createdAt), records: over.map((job) => job.recordsCommitted), times: over.map(took) };
    }, [jobs]);
    if (at.length < 2) return null;
    const sum = records.reduce((total, value) => total + value, 0);
    return (
        <div className="charts">
            <Chart bars least={5} title="Volume" summary={`${count(sum)} records in the last ${at.length} syncs`} at={at} values={records} format={about} />
            <Chart bars least={500} title="Duration" summary={`half of them within ${seconds(middle(times))}, all within ${seconds(Math.max(...times))}`} at={at} values={times} format={seconds} axis={span} />
        </div>
    );
}
