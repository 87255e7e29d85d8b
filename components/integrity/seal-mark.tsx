import type { Tone } from "./words";

const COLOR: Record<Tone, string> = {
  ok: "text-(--in-verified)",
  broken: "text-(--in-failed)",
  running: "text-(--in-pending)",
  none: "text-(--in-uncovered)",
  unfinished: "text-(--in-fetch)",
};

const GLYPH: Record<Tone, string> = {
  ok: "M7 12.4l3.4 3.3L17 9",
  broken: "M8.5 8.5l7 7m0-7l-7 7",
  running: "M7.5 12h.01M12 12h.01M16.500 12h.01",
  none: "M8 12h8",
  unfinished: "M12 7.500v5.500m0 3.200v.01",
};

/** The seal: a scalloped disc on the trail, with the state drawn as a shape. */
export function SealMark(props: { tone: Tone; className?: string }) {
  const solid = props.tone === "ok" || props.tone === "broken";
  return (
    <svg
      viewBox="0 0 24 24"
      aria-hidden="true"
      className={`${COLOR[props.tone]} ${props.className ?? "size-9"}`}
    >
      <path
        d="M12 2.500l2.300 1.700 2.800-.400 1.100 2.600 2.600 1.100-.400 2.800L22.100 12l-1.700 2.300.400 2.800-2.600 1.100-1.100 2.600-2.800-.400L12 22.100l-2.300-1.700-2.800.400-1.100-2.600-2.600-1.100.400-2.800L1.900 12l1.700-2.300-.400-2.800 2.600-1.100 1.100-2.600 2.800.400z"
        fill={solid ? "currentColor" : "none"}
        stroke="currentColor"
        strokeWidth={solid ? 0 : 1.5}
        strokeDasharray={props.tone === "running" ? "2.5 2.5" : undefined}
      />
      <path
        d={GLYPH[props.tone]}
        fill="none"
        stroke={solid ? "var(--surface)" : "currentColor"}
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
