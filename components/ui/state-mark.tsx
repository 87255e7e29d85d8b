import type { LucideIcon } from "lucide-react";

/** Shape and word of a state; colour only repeats them. */
export function StateMark({
  mark: { Icon, colour },
  words,
}: {
  mark: { Icon: LucideIcon; colour: string };
  words: string;
}) {
  return (
    <span className={`inline-flex items-center gap-1.5 font-medium ${colour}`}>
      <Icon aria-hidden="true" className="size-4 shrink-0" strokeWidth={1.6} />
      {words}
    </span>
  );
}
