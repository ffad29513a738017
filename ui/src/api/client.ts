// One way to ask the daemon: JSON in, JSON out, with the session's cookie. What goes wrong is an ApiError.
import { parseExactly, writeExactly } from "./exact";
import { answered, era, sessionEnded, unreachable } from "./standing";

/** Where one logs in; what is wrong there is no session that ended. */
const SESSION = "session";

export class ApiError extends Error {
    readonly status: number;
    /** What of the request was wrong: a path as "syncCatalog.streams[0].config", and the words. */
    readonly fields: { path: string; message: string }[];

    constructor(status: number, message: string, fields: { path: string; message: string }[] = []) {
        super(message);
        this.name = "ApiError";
        this.status = status;
        this.fields = fields;
    }
}

/** What was asked for is not there, or not any more: that wins over what was read before. */
export function isGone(error: Error | null): boolean {
    return error instanceof ApiError && error.status === 404;
}

interface ErrorBody {
    message?: string;
    detail?: string;
    validationErrors?: { propertyPath?: string; message?: string }[];
}

async function errorOf(response: Response): Promise<ApiError> {
    let body: ErrorBody = {};
    try {
        body = (await response.json()) as ErrorBody;
    } catch {
        // The status alone has to do.
    }
    const message = body.message ?? body.detail ?? `the daemon answered ${response.status} ${response.statusText}`;
    const fields = (body.validationErrors ?? []).map((error) => ({
        path: error.propertyPath ?? "",
        message: error.message ?? message,
    }));
    return new ApiError(response.status, message, fields);
}

async function send(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const since = era();
    let response: Response;
    try {
        response = await fetch(path, {
            method,
            // Firth-Page: a wrong password is answered to us, not by the browser's own form.
            headers: body === undefined ? { "Firth-Page": "1" } : { "Firth-Page": "1", "Content-Type": "application/json" },
            body: body === undefined ? undefined : writeExactly(body),
            credentials: "same-origin",
            signal,
        });
    } catch (error) {
        if (signal?.aborted) throw error;
        unreachable();
        throw new ApiError(0, "the daemon cannot be reached: is firth serve still running?");
    }
    answered();
    if (response.status === 401 && !path.endsWith(`/${SESSION}`)) sessionEnded(since);
    if (!response.ok) throw await errorOf(response);
    return response;
}

async function json<T>(response: Promise<Response>): Promise<T> {
    const answer = await response;
    return answer.status === 204 ? (undefined as T) : (parseExactly(await answer.text()) as T);
}

/** Airbyte's config API: every call is a POST. */
export function config<T>(path: string, body: object = {}, signal?: AbortSignal): Promise<T> {
    return json<T>(send("POST", `/api/v1/${path}`, body, signal));
}

/** Firth's own API. */
export const firth = {
    get: <T>(path: string, signal?: AbortSignal) => json<T>(send("GET", `/api/firth/v1/${path}`, undefined, signal)),
    post: <T>(path: string, body: object) => json<T>(send("POST", `/api/firth/v1/${path}`, body)),
    /** A question with a body: nothing is changed, and who leaves the page asks no more. */
    ask: <T>(path: string, body: object, signal: AbortSignal) => json<T>(send("POST", `/api/firth/v1/${path}`, body, signal)),
    remove: <T>(path: string) => json<T>(send("DELETE", `/api/firth/v1/${path}`, undefined)),
    raw: (path: string, signal?: AbortSignal) => send("GET", `/api/firth/v1/${path}`, undefined, signal),
};

/** The public API, for what the other one does not have. */
export const open = {
    get: <T>(path: string, signal?: AbortSignal) => json<T>(send("GET", `/api/public/v1/${path}`, undefined, signal)),
    post: <T>(path: string, body: object) => json<T>(send("POST", `/api/public/v1/${path}`, body)),
    remove: <T>(path: string) => json<T>(send("DELETE", `/api/public/v1/${path}`, undefined)),
};
