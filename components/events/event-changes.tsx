import { type Change, compareWords } from "@/lib/events/changes";

/** What was changed, side by side: words within texts, elements within lists. */
export function Changes(props: { changes: Change[] }) {
  return (
    <ul className="grid gap-3">
      {props.changes.map((change, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a list may lose and gain the same place.
        <li key={index}>
          <p className="font-mono text-[12px] break-all text-(--text-2)">
            {change.path.length > 0 ? change.path.join(".") : "value"}
          </p>
          <p className="mt-1 font-mono text-[12px] break-words whitespace-pre-wrap">
            <Sides change={change} />
          </p>
        </li>
      ))}
    </ul>
  );
}

function Sides({ change }: { change: Change }) {
  const { kind, before, after } = change;
  if (kind === "added") return <Added>{text(after)}</Added>;
  if (kind === "removed") return <Removed>{text(before)}</Removed>;
  if (typeof before === "string" && typeof after === "string") {
    const parts = compareWords(before, after);
    // Nothing in common: two values rather than an edited one.
    if (parts.some(({ kind: part, text: words }) => part === "same" && words.trim() !== ""))
      return parts.map((part, index) => {
        const Mark = { same: Same, added: Added, removed: Removed }[part.kind];
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name.
        return <Mark key={index}>{part.text}</Mark>;
      });
  }
  return (
    <>
      <Removed>{text(before)}</Removed> <span className="text-(--text-3)">→</span>{" "}
      <Added>{text(after)}</Added>
    </>
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function Same(props: { children: string }) {
  return <span>{props.children}</span>;
}

function Removed(props: { children: string }) {
  return (
    <del className="rounded-[3px] bg-(--diff-del) px-0.5">
      <span className="sr-only">removed </span>
      {props.children}
    </del>
  );
}

function Added(props: { children: string }) {
  return (
    <ins className="rounded-[3px] bg-(--diff-add) px-0.5 decoration-1">
      <span className="sr-only">added </span>
      {props.children}
    </ins>
  );
}
