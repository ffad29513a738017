// What stands in the place of a page that cannot be shown: its file is gone, since the daemon has other pages by now, or it
// has a fault. The menu stays.
import { Component, type ReactNode } from "react";
import { Button, Notice } from "../parts/basics";

interface Props {
    /** Another one, another try. */
    location: string;
    children: ReactNode;
}

interface State {
    error: Error | null;
    location: string;
}

export class PageGuard extends Component<Props, State> {
    override state: State = { error: null, location: this.props.location };

    static getDerivedStateFromError(error: Error): Partial<State> {
        return { error };
    }

    static getDerivedStateFromProps({ location }: Props, before: State): State | null {
        return location === before.location ? null : { error: null, location };
    }

    override render() {
        const { error } = this.state;
        if (!error) return this.props.children;
        return (
            <Notice kind="error" title="This page cannot be shown" actions={<Button onClick={() => window.location.reload()}>Load it anew</Button>}>
                {error.message}
            </Notice>
        );
    }
}
