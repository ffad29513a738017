// Where the focus is when what had it is taken away (a dialog that was answered, a row that was deleted, a button that did its
// work): it would fall to nothing, and who does not see would be told nothing. It goes back to where it was before a dialog,
// else to the nearest part of the page that is still there.
let last: HTMLElement[] = [];
let outside: HTMLElement[] = [];

/** An element and what it stands in. */
function placeOf(element: HTMLElement): HTMLElement[] {
    const place: HTMLElement[] = [];
    for (let one: HTMLElement | null = element; one; one = one.parentElement) place.push(one);
    return place;
}

function remember({ target }: FocusEvent) {
    if (!(target instanceof HTMLElement)) return;
    last = placeOf(target);
    if (!target.closest("dialog")) outside = last;
}

function keep() {
    if (document.activeElement !== document.body || !last[0] || last[0].isConnected) return;
    const place = last.some((one) => one instanceof HTMLDialogElement) ? outside : last;
    const next = place[0]?.isConnected ? place[0] : (place.find((one) => one.isConnected && one.matches("section, form, main")) ?? document.getElementById("main"));
    if (!next) return;
    const submit = next !== place[0] && next instanceof HTMLFormElement ? next.querySelector<HTMLElement>("button[type=submit]") : null;
    if (submit) return submit.focus({ preventScroll: true });
    if (next !== place[0] && !next.hasAttribute("tabindex")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
}

export function keepFocus() {
    document.addEventListener("focusin", remember);
    new MutationObserver(keep).observe(document.body, { childList: true, subtree: true });
}
