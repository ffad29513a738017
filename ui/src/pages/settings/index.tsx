// What is set for the whole installation.
import { setTheme, useTheme, type Theme } from "../../app/theme";
import { useSession } from "../../app/session";
import { PageHead } from "../../parts/basics";
import { Applications } from "./applications";
import { Notifications } from "./notifications";

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
            <section className="card padded fields">
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
            <section className="card padded">
                <h2>Password and version</h2>
                <p>
                    You are {session.user}, on Firth {session.version}. The password is set on the machine that Firth runs on, with <code>firth password</code>
                    {session.defaultPassword ? "; it is still the one that everybody knows." : "."} All sessions end with it.
                </p>
            </section>
        </>
    );
}
