// The frame around every page: where one can go, who is logged in.
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { Button, Notice } from "../parts/basics";
import { Mark } from "../parts/mark";
import { Away } from "./away";
import { PageGuard } from "./failed";
import { useLogOut, useSession } from "./session";

interface Place {
    path: string;
    name: string;
    icon: string;
    /** Pages that belong to it as well. */
    also?: string;
}

const PLACES: { title: string; places: Place[] }[] = [
    {
        title: "Airbyte",
        places: [
            { path: "/connections", name: "Connections", icon: "M4 8h12l-3-3M20 16H8l3 3", also: "/deployed" },
            { path: "/sources", name: "Sources", icon: "M5 4h9v16H5zM14 12h6m-3-3 3 3-3 3" },
            { path: "/destinations", name: "Destinations", icon: "M10 4h9v16h-9zM3 12h7m-3-3 3 3-3 3" },
        ],
    },
    {
        title: "Flow",
        places: [
            { path: "/captures", name: "Captures", icon: "M12 3v12m-5-5 5 5 5-5M4 20h16" },
            { path: "/collections", name: "Collections", icon: "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0" },
            { path: "/materializations", name: "Materializations", icon: "M12 21V9m-5 5 5-5 5 5M4 4h16" },
        ],
    },
    {
        title: "Firth",
        places: [
            { path: "/connectors", name: "Connectors", icon: "M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v3" },
            { path: "/settings", name: "Settings", icon: "M4 7h10m4 0h2M4 17h2m4 0h10M14 4v6M6 14v6" },
        ],
    },
];

function Navigation({ onGo }: { onGo: () => void }) {
    const [location] = useLocation();
    return (
        <nav aria-label="Pages">
            {PLACES.map((group) => (
                <section key={group.title}>
                    <h2>{group.title}</h2>
                    <ul>
                        {group.places.map((place) => (
                            <li key={place.path}>
                                <Link
                                    href={place.path}
                                    onClick={onGo}
                                    aria-current={location.startsWith(place.path) || (place.also && location.startsWith(place.also)) ? "page" : undefined}
                                >
                                    <svg viewBox="0 0 24 24" aria-hidden="true">
                                        <path d={place.icon} />
                                    </svg>
                                    {place.name}
                                </Link>
                            </li>
                        ))}
                    </ul>
                </section>
            ))}
        </nav>
    );
}

export function Shell({ children }: { children: ReactNode }) {
    const session = useSession();
    const logOut = useLogOut();
    const [location] = useLocation();
    const [open, setOpen] = useState(false);
    const main = useRef<HTMLElement>(null);
    // The steps of setting up are pages too.
    const step = useSearch();

    // Another page: readers begin at its top, by eye and by ear.
    useEffect(() => {
        main.current?.focus({ preventScroll: true });
        window.scrollTo(0, 0);
    }, [location, step]);

    return (
        <div className={`shell${open ? " menu-open" : ""}`}>
            <a className="skip" href="#main">
                To the page
            </a>
            <aside className="side">
                <div className="brand">
                    <Link href="/connections" aria-label="Firth, to the connections">
                        <Mark />
                        <span>Firth</span>
                    </Link>
                    <Button
                        kind="ghost"
                        className="menu-button"
                        aria-expanded={open}
                        aria-controls="menu"
                        onClick={() => setOpen(!open)}
                    >
                        Menu
                    </Button>
                </div>
                <div className="menu" id="menu">
                    <Navigation onGo={() => setOpen(false)} />
                    <footer>
                        <p className="quiet">
                            {session.user} · Firth {session.version}
                        </p>
                        <Button kind="ghost" onClick={() => void logOut()}>
                            Log out
                        </Button>
                    </footer>
                </div>
            </aside>
            <main id="main" ref={main} tabIndex={-1}>
                {session.defaultPassword && (
                    <Notice kind="warning">
                        The password is the one that everybody knows, so only this machine is answered. Set another in the <Link href="/settings">settings</Link>.
                    </Notice>
                )}
                <Away />
                <PageGuard location={location}>{children}</PageGuard>
            </main>
        </div>
    );
}
