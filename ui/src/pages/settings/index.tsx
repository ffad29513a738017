// What is set for the whole installation.
import { setTheme, useTheme, type Theme } from "../../app/theme";
import { useSession } from "../../app/session";
import { PageHead } from "../../parts/basics";
import { Applications } from "./applications";
import { Notifications } from "./notifications";
import { Password } from "./password";

const THEMES: [Theme, string][] = [
    ["system", "As the system has it"],
    ["light", "Light"],
    ["dark", "Dark"],
];

export default function Settings() {
    const theme = useTheme();
    const session = useSession();
    return (
        <>
            <PageHead title="Settings" />
            <section className="card padded fields narrow">
                <h2>Appearance</h2>
                <div className="field">
                    <label htmlFor="theme">Theme</label>
                    <select id="theme" value={theme} onChange={(event) => setTheme(event.target.value as Theme)}>
                        {THEMES.map(([value, word]) => (
                            <option key={value} value={value}>
                                {word}
                            </option>
                        ))}
                    </select>
                </div>
            </section>
            <Notifications />
            <Applications />
            <Password />
            <p className="quiet">
                You are {session.user}, on Firth {session.version}.
            </p>
        </>
    );
}
