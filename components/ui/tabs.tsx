import type { KeyboardEvent } from "react";

/** One stop for the Tab key; arrows choose. The panel has the id `panel` and is labelled by `tab-<id>`. */
export function TabList<Id extends string>(props: {
  label: string;
  panel: string;
  tabs: readonly { id: Id; label: string; count?: number }[];
  current: Id;
  onChange(id: Id): void;
  className?: string;
}) {
  const { tabs, current, onChange } = props;
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const place = tabs.findIndex(({ id }) => id === current);
    const next = tabs[(place + by + tabs.length) % tabs.length];
    if (!next) return;
    onChange(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label={props.label}
      onKeyDown={onKeyDown}
      className={`flex gap-4 overflow-x-auto border-b border-(--border) ${props.className ?? ""}`}
    >
      {tabs.map(({ id, label, count }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${id}`}
          tabIndex={id === current ? 0 : -1}
          aria-selected={id === current}
          aria-controls={props.panel}
          onClick={() => onChange(id)}
          className="-mb-px h-9 shrink-0 border-b-2 border-transparent text-(--text-2) focus-visible:shadow-(--focus-inset) aria-selected:border-(--text) aria-selected:font-medium aria-selected:text-(--text) max-sm:h-11"
        >
          {label}
          {count !== undefined && <span className="ml-0.5 text-(--text-3)"> {count}</span>}
        </button>
      ))}
    </div>
  );
}
