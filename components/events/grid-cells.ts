/** Where the keyboard is: a column of a row, or of the head. */
export interface ActiveCell {
  row: string | "head" | null;
  column: number;
}

export function cellId(rowId: string, column: number): string {
  return `cell-${rowId}-${column}`;
}

/** When the table is wider than its room, the trail and the time stay in sight. */
export function pinning(columnId: string | undefined): string {
  return columnId === "time" ? "sticky left-8 z-[1] bg-inherit" : "relative";
}
