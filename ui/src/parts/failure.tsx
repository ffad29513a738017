// Why a job failed, in words, and what one can do.
import { Link } from "wouter";
import type { Connection, Failure } from "../api/jobs";
import { Notice } from "./basics";

const WHO: Record<string, string> = {
    source: "The source failed",
    destination: "The destination failed",
    replication: "Firth stopped the sync",
    persistence: "Firth could not keep what it had to",
    airbyte_platform: "Firth could not do it",
};

function advice(failure: Failure, trying: boolean): string {
    const side = failure.failureOrigin === "destination" ? "destination" : "source";
    if (failure.failureType === "config_error")
        return `Look at the configuration of the ${side} and test it, then sync again. It is not tried again by itself.`;
    if (failure.failureType === "refresh_schema") return "The source's schema has changed: look at the streams, then sync again.";
    if (failure.failureType === "manual_cancellation") return "Somebody cancelled it. The next sync goes on where it stopped.";
    if (trying) return "It is tried again by itself, and goes on where it stopped.";
    if (failure.failureType === "transient_error")
        return `This may pass, but did not in all the tries that it had: see whether the ${side} can be reached, then sync again. It goes on where it stopped.`;
    return "The log tells more. Once the cause is mended, sync again: it goes on where it stopped.";
}

interface Props {
    failure: Failure;
    /** Whose source and destination can be looked at. */
    connection?: Connection;
    /** Another attempt follows by itself. */
    trying?: boolean;
}

export function FailureNotice({ failure, connection, trying = false }: Props) {
    const side = failure.failureOrigin === "source" || failure.failureOrigin === "destination" ? failure.failureOrigin : undefined;
    const message = failure.externalMessage ?? failure.internalMessage ?? "It did not say why.";
    const link =
        connection && failure.failureType === "refresh_schema" ? (
            <Link className="button" href={`/connections/${connection.connectionId}/streams`}>
                Look at the streams
            </Link>
        ) : (
            connection &&
            side && (
                <Link className="button" href={`/${side}s/${side === "source" ? connection.sourceId : connection.destinationId}`}>
                    Open the {side}
                </Link>
            )
        );
    return (
        <Notice kind="error" title={WHO[failure.failureOrigin ?? ""] ?? "The job failed"} actions={link || undefined}>
            <p>{message}</p>
            <p>{advice(failure, trying)}</p>
            {failure.internalMessage && failure.internalMessage !== message && (
                <details>
                    <summary>What is behind it</summary>
                    <pre tabIndex={0}>{failure.internalMessage}</pre>
                </details>
            )}
        </Notice>
    );
}
