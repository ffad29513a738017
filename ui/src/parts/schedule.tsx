// When a connection runs.
import { useQuery } from "@tanstack/react-query";
import { config } from "../api/client";
import type { ScheduleData, ScheduleType } from "../api/connections";
import { NumberInput } from "./numberinput";
import { moment } from "./time";

interface Props {
    type: ScheduleType;
    data?: ScheduleData;
    onChange: (type: ScheduleType, data?: ScheduleData) => void;
}

/** When it runs, in words. */
export function scheduleText(type: ScheduleType | undefined, data: ScheduleData | undefined): string {
    if (type === "basic" && data?.basicSchedule) {
        const { units, timeUnit } = data.basicSchedule;
        return units === 1 ? `every ${timeUnit.replace(/s$/, "")}` : `every ${units} ${timeUnit.replace(/s?$/, "s")}`;
    }
    if (type === "cron" && data?.cron) return `at ${data.cron.cronExpression} (${data.cron.cronTimeZone})`;
    return "when somebody asks";
}

const UNITS = ["minutes", "hours", "days", "weeks", "months"];

interface CronDescription {
    isValid: boolean;
    validationErrorMessage?: string;
    cronDescription?: string;
    nextExecutions?: number[];
}

function CronNext({ expression }: { expression: string }) {
    const described = useQuery({
        queryKey: ["cron", expression],
        queryFn: ({ signal }) => config<CronDescription>("web_backend/describe_cron_expression", { cronExpression: expression }, signal),
        enabled: expression.trim() !== "",
        staleTime: 60_000,
    });
    if (!described.data) return null;
    if (!described.data.isValid) return <p className="problem">{described.data.validationErrorMessage ?? "This is no Quartz expression."}</p>;
    return <p className="help">Next: {(described.data.nextExecutions ?? []).slice(0, 3).map((time) => moment(time * 1000)).join("; ")}</p>;
}

export function ScheduleFields({ type, data, onChange }: Props) {
    const basic = data?.basicSchedule ?? { units: 24, timeUnit: "hours" };
    const cron = data?.cron ?? { cronExpression: "0 0 6 * * ?", cronTimeZone: Intl.DateTimeFormat().resolvedOptions().timeZone };
    return (
        <div className="field">
            <label htmlFor="schedule">Runs</label>
            <select
                id="schedule"
                value={type}
                onChange={(event) => {
                    const next = event.target.value as ScheduleType;
                    onChange(next, next === "basic" ? { basicSchedule: basic } : next === "cron" ? { cron } : undefined);
                }}
            >
                <option value="manual">When somebody asks</option>
                <option value="basic">Every so often</option>
                <option value="cron">By a cron expression</option>
            </select>
            {type === "basic" && (
                <div className="in-row">
                    <NumberInput
                        label="How many"
                        value={basic.units}
                        min={1}
                        onChange={(units) => onChange(type, { basicSchedule: { ...basic, units } })}
                    />
                    <select aria-label="Unit" value={basic.timeUnit} onChange={(event) => onChange(type, { basicSchedule: { ...basic, timeUnit: event.target.value } })}>
                        {UNITS.map((unit) => (
                            <option key={unit}>{unit}</option>
                        ))}
                    </select>
                </div>
            )}
            {type === "cron" && (
                <div className="in-row">
                    <input
                        aria-label="Quartz expression"
                        value={cron.cronExpression}
                        spellCheck={false}
                        onChange={(event) => onChange(type, { cron: { ...cron, cronExpression: event.target.value } })}
                    />
                    <input
                        aria-label="Time zone"
                        value={cron.cronTimeZone}
                        spellCheck={false}
                        onChange={(event) => onChange(type, { cron: { ...cron, cronTimeZone: event.target.value } })}
                    />
                </div>
            )}
            {type === "cron" && <CronNext expression={cron.cronExpression} />}
        </div>
    );
}
