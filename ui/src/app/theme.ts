// Light or dark: as the system has it until somebody chooses.
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "firth.theme";
const listeners = new Set<() => void>();

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

export function useTheme(): Theme {
    return useSyncExternalStore((tell) => {
        listeners.add(tell);
        return () => listeners.delete(tell);
    }, read);
}
