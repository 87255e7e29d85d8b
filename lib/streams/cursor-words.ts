const count = (events: number) =>
  `${events.toLocaleString("en-US")} ${events === 1 ? "event" : "events"}`;

/** What moving a cursor does, in words. */
export function cursorMoveWords(fromSeq: number, toSeq: number): string {
  if (toSeq < fromSeq) return `${count(fromSeq - toSeq)} will be sent again.`;
  if (toSeq > fromSeq)
    return `${count(toSeq - fromSeq)} will be skipped: this stream never sends them.`;
  return "Nothing changes: this event is next already.";
}
