import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { keepFocus } from "./app/focus";
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
keepFocus();

const client: QueryClient = new QueryClient({
    defaultOptions: {
        // The daemon may be on this machine: what the browser thinks of the network says nothing of it.
        mutations: { networkMode: "always" },
        queries: {
            networkMode: "always",
            staleTime: 5_000,
            // What was refused is refused again; only what did not arrive is worth another try.
            retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
        },
    },
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
