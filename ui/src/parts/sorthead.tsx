// The head of a column that its table can be sorted by.
export interface Order<Column extends string> {
    column: Column;
    down: boolean;
}

interface Props<Column extends string> {
    column: Column;
    label: string;
    order: Order<Column>;
    onOrder: (order: Order<Column>) => void;
}

export function SortHead<Column extends string>({ column, label, order, onOrder }: Props<Column>) {
    const here = order.column === column;
    return (
        <th aria-sort={here ? (order.down ? "descending" : "ascending") : undefined}>
            <button type="button" className="sort" onClick={() => onOrder({ column, down: here && !order.down })}>
                {label}
                <span aria-hidden="true">{here ? (order.down ? " ▾" : " ▴") : ""}</span>
            </button>
        </th>
    );
}
