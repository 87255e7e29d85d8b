import { isRefused, type Operation, operationOf } from "@/lib/events/operation";

/** A shape first, then a colour. */
const LOOK: Record<Operation | "denied", { color: string; path: string }> = {
  created: { color: "text-(--op-created)", path: "M8 4v8M4 8h8" },
  updated: { color: "text-(--op-updated)", path: "M3 9.500c1.700-3 3.300-3 5-1s3.300 2 5-1" },
  deleted: { color: "text-(--op-deleted)", path: "M4.500 4.500l7 7m0-7l-7 7" },
  accessed: {
    color: "text-(--op-accessed)",
    path: "M8 5.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5z",
  },
  denied: {
    color: "text-(--op-denied)",
    path: "M8 3.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9zM5 11l6-6",
  },
};

export function ActionGlyph(props: { action: string }) {
  const { action } = props;
  const operation = isRefused(action) ? "denied" : (operationOf(action) ?? "accessed");
  const { color, path } = LOOK[operation];
  return (
    <svg
      viewBox="0 0 16 16"
      role="img"
      aria-label={operation}
      className={`size-4 shrink-0 ${color}`}
    >
      <path
        d={path}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.700"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
