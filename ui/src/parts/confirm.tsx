// A question before something that cannot be undone.
import { useEffect, useRef, type ReactNode } from "react";
import { Button } from "./basics";

interface Props {
    title: string;
    children: ReactNode;
    /** Without: there is nothing that can be done. */
    action: string | undefined;
    busy?: boolean;
    onConfirm: () => void;
    onClose: () => void;
}

export function Confirm({ title, children, action, busy, onConfirm, onClose }: Props) {
    const dialog = useRef<HTMLDialogElement>(null);
    useEffect(() => dialog.current?.showModal(), []);
    return (
        <dialog ref={dialog} onClose={onClose} aria-label={title}>
            <h2>{title}</h2>
            <div>{children}</div>
            <div className="actions">
                <Button onClick={onClose} autoFocus>
                    Leave it
                </Button>
                {action && (
                    <Button kind="danger" busy={busy} onClick={onConfirm}>
                        {action}
                    </Button>
                )}
            </div>
        </dialog>
    );
}
