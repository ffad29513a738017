// Captures or materializations: all of them, and each.
import { TaskList } from "./list";
import { TaskPage } from "./page";
import type { TaskKind } from "../../api/tasks";

export default function Tasks({ kind, name }: { kind: TaskKind; name?: string }) {
    return name === undefined ? <TaskList kind={kind} /> : <TaskPage name={name} kind={kind} />;
}
