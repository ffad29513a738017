// Light or dark: as the system has it until somebody chooses.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "firth.theme";
const listeners = new Set<() => void>();

function listen(tell: () => void) {
    listeners.add(tell);
    return () => void listeners.delete(tell);
}

function read(): Theme {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
}

export function applyTheme(theme: Theme = read()): void {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
}

export function setTheme(theme: Theme): void {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
    applyTheme(theme);
    for (const tell of listeners) tell();
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => {
    for (const tell of listeners) tell();
});

/** What is seen just now, for what is drawn and not styled. */
export function useShade(): "light" | "dark" {
    const theme = useTheme();
    const system = useSyncExternalStore(listen, () => (dark.matches ? "dark" : "light"));
    return theme === "system" ? system : theme;
}

export function useTheme(): Theme {
    return useSyncExternalStore(listen, read);
}
