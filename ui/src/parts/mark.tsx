/** Firth's sign: rivers that meet the sea. */
export function Mark() {
    return (
        <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" />
            <path d="M5 9c5 0 5 4 11 4s6-4 11-4M5 16c5 0 5 4 11 4s6-4 11-4M5 23c5 0 5 4 11 4s6-4 11-4" />
        </svg>
    );
}
