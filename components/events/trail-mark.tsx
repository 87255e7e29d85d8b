/** A solid disc where a verification proved the event, else a hollow ring. */
export function TrailDot(props: { isVerified: boolean; className?: string }) {
  return (
    <span
      aria-hidden="true"
      className={`size-[7px] shrink-0 rounded-full ${props.className ?? ""} ${props.isVerified ? "bg-(--in-verified-line)" : "border-[1.5px] border-(--in-pending) bg-(--surface)"}`}
    />
  );
}

/**
 * An event's place on the trail. The line is solid only as far as a verification proved it: below that,
 * a hollow ring on a dotted line.
 */
export function TrailMark(props: { isVerified: boolean; isFirst: boolean; isLast: boolean }) {
  const line = props.isVerified
    ? "border-solid border-(--in-verified-line)"
    : "border-dotted border-(--in-pending-line)";
  return (
    <span
      className="relative grid h-full w-8 shrink-0 place-items-center"
      title={props.isVerified ? "Verified" : "Sealed, not verified yet"}
    >
      <span
        aria-hidden="true"
        className={`absolute left-1/2 -translate-x-1/2 border-l-[1.5px] ${line} ${props.isFirst ? "top-1/2" : "top-0"} ${props.isLast ? "bottom-1/2" : "bottom-0"}`}
      />
      <TrailDot isVerified={props.isVerified} className="relative" />
      <span className="sr-only">{props.isVerified ? "Verified" : "Not verified yet"}</span>
    </span>
  );
}
