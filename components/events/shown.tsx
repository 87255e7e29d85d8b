import { HIDDEN } from "@/lib/events/sight";

/** A value of an event, or that it is hidden from who looks. */
export function Shown({ text }: { text: string }) {
  return text === HIDDEN ? <span className="font-sans text-(--text-3) italic">Hidden</span> : text;
}
