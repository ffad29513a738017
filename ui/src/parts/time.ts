// Numbers and times as people read them, in their own language, but with the digits of the words around them.
const LOCALE = typeof navigator === "undefined" ? undefined : new Intl.Locale(navigator.language, { numberingSystem: "latn" });

const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto", style: "long" });
const whole = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "medium" });
const compact = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const small = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });
const plain = new Intl.NumberFormat(LOCALE);

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
    ["second", 60],
    ["minute", 60],
    ["hour", 24],
    ["day", 30],
    ["month", 12],
    ["year", Number.POSITIVE_INFINITY],
];

/** "3 minutes ago", "in 2 hours". */
export function fromNow(ms: number, now = Date.now()): string {
    let amount = (ms - now) / 1000;
    for (const [unit, size] of STEPS) {
        const rounded = Math.round(amount);
        if (Math.abs(rounded) < size) return relative.format(rounded, unit);
        amount /= size;
    }
    return whole.format(ms);
}

export function moment(ms: number): string {
    return whole.format(ms);
}

/** "under 1 s", "4.0 s", "2 min 5 s", "3 h 10 min", "12 d 4 h". */
export function duration(ms: number): string {
    const seconds = Math.max(0, ms) / 1000;
    if (seconds < 1) return "under 1 s";
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    const rounded = Math.round(seconds);
    if (rounded < 60) return `${rounded} s`;
    const minutes = Math.floor(rounded / 60);
    if (minutes < 60) return `${minutes} min ${rounded % 60} s`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${plain.format(Math.floor(hours / 24))} d ${hours % 24} h`;
}

export function count(value: number): string {
    return plain.format(value);
}

export function about(value: number): string {
    return (Math.abs(value) < 10 ? small : compact).format(value);
}

/** Of what nobody knows nothing is said. */
export function known(value: number | null | undefined, format: (value: number) => string): string {
    return value === null || value === undefined ? "–" : format(value);
}

const BYTES = ["B", "kB", "MB", "GB", "TB", "PB"];

export function bytes(value: number): string {
    let at = 0;
    // As it is written, with one decimal.
    while (value >= (at === 0 ? 1000 : 999.95) && at < BYTES.length - 1) {
        value /= 1000;
        at++;
    }
    return `${at === 0 ? Math.round(value) : value.toFixed(1)} ${BYTES[at]}`;
}

const ofDay = new Intl.DateTimeFormat(LOCALE, { timeStyle: "medium" });

/** The time of day, where the day is known. */
export function clock(ms: number): string {
    return ofDay.format(ms);
}

const ofHour = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });

export function hourAndMinute(ms: number): string {
    return ofHour.format(ms);
}

const ofYear = new Intl.DateTimeFormat(LOCALE, { month: "short", day: "numeric" });

export function day(ms: number): string {
    return ofYear.format(ms);
}

/** "0.4 s", "12 min", "3 h", "5 d": short, for axes. */
export function span(ms: number): string {
    const amount = (size: number, unit: string) => `${(ms / size).toLocaleString(LOCALE, { maximumFractionDigits: ms < 10 * size ? 2 : 0, notation: "compact" })} ${unit}`;
    if (ms < 90_000) return amount(1000, "s");
    if (ms < 5_400_000) return amount(60_000, "min");
    return ms < 172_800_000 ? amount(3_600_000, "h") : amount(86_400_000, "d");
}

/** "0.4 s", for tables and sums. */
export function seconds(ms: number): string {
    return ms < 9_950 ? `${(ms / 1000).toLocaleString(LOCALE, { maximumFractionDigits: 1 })} s` : duration(ms);
}
