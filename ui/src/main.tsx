import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { Pages } from "./app/pages";
import { SessionGate } from "./app/session";
import { Shell } from "./app/shell";
import { applyTheme } from "./app/theme";
import "./style/theme.css";
import "./style/parts.css";
import "./style/forms.css";
import "./style/connection.css";
import "./style/shell.css";

applyTheme();

const client: QueryClient = new QueryClient({
    defaultOptions: {
        queries: {
            staleTime: 5_000,
            // What was refused is refused again; only what did not arrive is worth another try.
            retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
        },
    },
});

// A session that ended under an open page: back to the form.
client.getQueryCache().subscribe((event) => {
    const error: unknown = event.query.state.error;
    if (event.type === "updated" && event.action.type === "error" && event.query.queryKey[0] !== "session" &&
        error instanceof ApiError && error.status === 401)
        void client.resetQueries({ queryKey: ["session"] });
});

createRoot(document.getElementById("root")!).render(
    <QueryClientProvider client={client}>
        <SessionGate>
            <Shell>
                <Pages />
            </Shell>
        </SessionGate>
    </QueryClientProvider>,
);
