// The parts of a page, each with an address of its own.
import { Link, useLocation } from "wouter";

export function Tabs({ label, tabs }: { label: string; tabs: [path: string, name: string][] }) {
    const [location] = useLocation();
    return (
        <nav className="tabs" aria-label={label}>
            {tabs.map(([path, name]) => (
                <Link key={path} href={path} aria-current={location === path ? "page" : undefined}>
                    {name}
                </Link>
            ))}
        </nav>
    );
}
