// Why a job failed, and what one can do.
import type { Failure } from "../api/jobs";
import { Notice } from "./basics";

const WHO: Record<string, string> = {
    source: "The source failed",
    destination: "The destination failed",
    replication: "Firth stopped the sync",
    persistence: "Firth could not keep what it had to",
};

function advice(failure: Failure): string {
    if (failure.failureType === "config_error")
        return `Look at the configuration of the ${failure.failureOrigin === "destination" ? "destination" : "source"}, test it, then sync again. It is not tried again by itself.`;
    if (failure.failureType === "refresh_schema") return "The source's schema has changed: look at the streams, then sync again.";
    if (failure.failureType === "manual_cancellation") return "Somebody cancelled it.";
    if (failure.failureType === "transient_error") return "This may pass: it is tried again by itself, and goes on where it stopped.";
    return "It is tried again by itself, and goes on where it stopped. If it fails again, the log tells more.";
}

export function FailureNotice({ failure }: { failure: Failure }) {
    return (
        <Notice kind="error" title={WHO[failure.failureOrigin ?? ""] ?? "The job failed"}>
            <p>{failure.externalMessage ?? failure.internalMessage ?? "It did not say why."}</p>
            <p>{advice(failure)}</p>
        </Notice>
    );
}
