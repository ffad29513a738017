import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the pages with a running daemon behind them.
const daemon = process.env.FIRTH_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
    plugins: [react()],
    build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
    server: { proxy: { "/api": daemon } },
});
