// Dates and moments: typed as the connector wants to have them, or picked. Both are in UTC, whatever clock the reader has.
import type { WidgetProps } from "@rjsf/utils";
import { changed, describedBy } from "./widgets";

/** A picked moment (YYYY-MM-DDTHH:MM:SS), in the first of the usual spellings that the field's pattern allows. */
function spelled(picked: string, pattern: string | undefined): string {
    const day = picked.slice(0, 10);
    const ways = [`${picked}Z`, `${picked}.000Z`, `${picked}.000000Z`, `${picked}+00:00`, picked, `${day} ${picked.slice(11)}`, day];
    try {
        const wanted = new RegExp(pattern ?? "", "u");
        return ways.find((way) => wanted.test(way)) ?? ways[0]!;
    } catch {
        return ways[0]!; // a pattern that is none
    }
}

/** What the picker shows of what is typed: nothing, where that is in no UTC that it knows. */
function pickedOf(value: unknown, withTime: boolean): string {
    const [, day, time = "T00:00:00"] = /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d:\d\d)?(?:\.\d+)?(?:Z|[+]00:00)?$/.exec(String(value ?? "")) ?? [];
    if (!day) return "";
    return withTime ? `${day}T${time.slice(1)}` : day;
}

function TypedOrPicked({ props, withTime }: { props: WidgetProps; withTime: boolean }) {
    const label = props.label || "it";
    return (
        <>
            <div className="with-button">
                <input
                    id={props.id}
                    type="text"
                    value={String(props.value ?? "")}
                    placeholder={props.placeholder || `for example ${spelled("2024-01-31T00:00:00", withTime ? props.schema.pattern : (props.schema.pattern ?? "^.{10}$"))}`}
                    required={props.required}
                    disabled={props.disabled}
                    autoComplete="off"
                    spellCheck={false}
                    aria-describedby={describedBy(props)}
                    aria-invalid={(props.rawErrors?.length ?? 0) > 0 || undefined}
                    onChange={(event) => changed(props, event.target.value)}
                    onBlur={() => props.onBlur(props.id, props.value)}
                />
                <input
                    className="picker"
                    type={withTime ? "datetime-local" : "date"}
                    step={withTime ? 1 : undefined}
                    aria-label={`Pick ${label}, in UTC`}
                    value={pickedOf(props.value, withTime)}
                    disabled={props.disabled}
                    onChange={(event) => {
                        const picked = event.target.value;
                        if (!picked) return;
                        if (!withTime) return changed(props, picked);
                        changed(props, spelled(picked.length === 16 ? `${picked}:00` : picked.slice(0, 19), props.schema.pattern));
                    }}
                />
            </div>
            <p className="help" id={`${props.id}__help`}>
                {withTime ? "In UTC, not in your own time." : "A day in UTC."}
            </p>
        </>
    );
}

export function MomentWidget(props: WidgetProps) {
    return <TypedOrPicked props={props} withTime />;
}

export function DateWidget(props: WidgetProps) {
    return <TypedOrPicked props={props} withTime={false} />;
}
