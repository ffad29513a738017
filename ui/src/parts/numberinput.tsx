// A whole number that is typed: any text while it is typed, checked when the field is left.
import { useEffect, useId, useState } from "react";

interface Props {
    label: string;
    value: number;
    min: number;
    max?: number;
    onChange: (value: number) => void;
}

export function NumberInput({ label, value, min, max = Number.MAX_SAFE_INTEGER, onChange }: Props) {
    const id = useId();
    const [text, setText] = useState(String(value));
    const [problem, setProblem] = useState("");

    // Another value from outside; what is being typed is left as it is.
    useEffect(() => setText((typed) => (Number(typed) === value ? typed : String(value))), [value]);

    function problemOf(typed: string): string {
        const number = Number(typed);
        if (typed.trim() === "" || !Number.isSafeInteger(number)) return "This has to be a whole number.";
        return number < min ? `The least is ${min}.` : number > max ? `The most is ${max}.` : "";
    }

    /** What cannot be used does not stay: what is kept is what is seen. */
    function leave() {
        const wrong = problemOf(text);
        if (wrong) setText(String(value));
        setProblem(wrong && `${wrong} It stays ${value}.`);
    }

    return (
        <div className="field">
            <input
                type="number"
                min={min}
                max={max}
                aria-label={label}
                aria-describedby={problem ? `${id}-problem` : undefined}
                value={text}
                onChange={(event) => {
                    setText(event.target.value);
                    setProblem("");
                    if (!problemOf(event.target.value)) onChange(Number(event.target.value));
                }}
                onBlur={leave}
                onKeyDown={(event) => {
                    if (event.key === "Enter") leave();
                }}
            />
            {problem && (
                <p className="problem" id={`${id}-problem`} role="status">
                    {problem}
                </p>
            )}
        </div>
    );
}
