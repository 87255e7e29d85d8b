import { type ColumnId, isColumnId } from "@/lib/events/table-layout";

const LABELS: Record<ColumnId, string> = {
  seq: "Seq",
  time: "Time",
  actor: "Actor",
  action: "Action",
  target: "Target",
  ip: "IP",
  received: "Received",
};

export function columnLabel(id: string): string {
  return isColumnId(id) ? LABELS[id] : id;
}
