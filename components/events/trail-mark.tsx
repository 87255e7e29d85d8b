/**
 * What is known of an event's place in the log: `proven` and `failed` by this browser, `verified` by the server's
 * last check, `pending` until a checkpoint covers it, `sealed` where no check has reached it.
 */
export type TrailState = "proven" | "failed" | "verified" | "pending" | "sealed";

const TRAIL_WORDS: Record<TrailState, string> = {
  proven: "Verified: proven in this browser",
  failed: "Failed: does not match the signed log",
  verified: "Verified by the server's last check",
  pending: "Pending checkpoint",
  sealed: "Not covered by a check yet",
};

const DOT: Record<Exclude<TrailState, "failed">, string> = {
  proven: "size-[7px] bg-(--in-verified-line)",
  verified: "size-[7px] border-[1.5px] border-(--in-verified-line) bg-(--surface)",
  pending: "size-[7px] border-[1.5px] border-(--in-pending) bg-(--surface)",
  sealed: "h-[1.5px] w-[7px] bg-(--in-uncovered-line)",
};

/** A solid disc where a proof was checked here, a ring for what is only said, a dash for nothing, a cross for failed. */
export function TrailDot(props: { state: TrailState; className?: string }) {
  const { state, className = "" } = props;
  if (state === "failed")
    return (
      <span
        aria-hidden="true"
        className={`grid size-4 shrink-0 place-items-center rounded-full bg-(--in-failed) text-[10px] leading-none font-bold text-(--surface) ${className}`}
      >
        ✕
      </span>
    );
  return <span aria-hidden="true" className={`shrink-0 rounded-full ${className} ${DOT[state]}`} />;
}

/** An event's place on the trail. The line is solid only where a check reached it; a failed event stands in a gap. */
export function TrailMark(props: { state: TrailState; isFirst: boolean; isLast: boolean }) {
  const { state } = props;
  const isChecked = state === "proven" || state === "verified";
  const line = isChecked
    ? "border-solid border-(--in-verified-line)"
    : "border-dotted border-(--in-pending-line)";
  return (
    <span
      className="relative grid h-full w-8 shrink-0 place-items-center"
      title={TRAIL_WORDS[state]}
      data-seal={state}
    >
      {state !== "sealed" && state !== "failed" && (
        <span
          aria-hidden="true"
          className={`absolute left-1/2 -translate-x-1/2 border-l-[1.5px] ${line} ${props.isFirst ? "top-1/2" : "top-0"} ${props.isLast ? "bottom-1/2" : "bottom-0"}`}
        />
      )}
      <TrailDot state={state} className="relative" />
      <span className="sr-only">{TRAIL_WORDS[state]}</span>
    </span>
  );
}

/** What the server's last check says of an event. */
export function checkedState(seq: number, verifiedTo: number | null): TrailState {
  return verifiedTo !== null && seq <= verifiedTo ? "verified" : "sealed";
}
