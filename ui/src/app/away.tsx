// While the daemon cannot be reached: the page stays as it was, and all of it is asked for anew once there is an answer.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { firth } from "../api/client";
import { askAnew, useStanding } from "../api/standing";
import { Notice } from "../parts/basics";

const TRY_MS = 1_000;

export function Away() {
    const client = useQueryClient();
    const away = useStanding() === "away";
    useEffect(() => {
        if (!away) return;
        const timer = window.setInterval(() => void firth.get("session").catch(() => undefined), TRY_MS);
        return () => {
            window.clearInterval(timer);
            void askAnew(client);
        };
    }, [away, client]);
    if (!away) return null;
    return (
        <Notice kind="warning" title="The daemon cannot be reached">
            What is shown is as it was last. It goes on by itself as soon as there is an answer.
        </Notice>
    );
}
