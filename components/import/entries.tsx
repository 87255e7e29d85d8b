import { Plus, X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { type Entry, newId } from "./draft";
import { type Columns, ValueField } from "./value-field";

/** Entries of metadata, each under a name of its own. */
export function Entries(props: {
  /** Whose metadata it is, for buttons and fields. */
  of: string;
  entries: Entry[];
  columns: Columns;
  onChange(entries: Entry[]): void;
}) {
  const { of, entries, columns } = props;
  const change = (id: number, changes: Partial<Entry>) =>
    props.onChange(entries.map((entry) => (entry.id === id ? { ...entry, ...changes } : entry)));
  return (
    <div className="grid gap-2">
      {entries.map(({ id, key, value }, at) => (
        <div
          key={id}
          className="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto] items-start gap-2"
        >
          <div className="grid gap-1">
            <span className="font-medium">Name</span>
            <Input
              aria-label={`Name of entry ${at + 1}, ${of}`}
              value={key}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => change(id, { key: event.target.value })}
            />
          </div>
          <ValueField
            label="Value"
            value={value}
            columns={columns}
            onChange={(next) => change(id, { value: next })}
          />
          <Button
            variant="quiet"
            icon
            aria-label={`Remove ${key || `entry ${at + 1}`} from ${of}`}
            className="mt-5.5"
            onClick={() => props.onChange(entries.filter((entry) => entry.id !== id))}
          >
            <X size={14} aria-hidden="true" />
          </Button>
        </div>
      ))}
      <Button
        variant="quiet"
        className="justify-self-start"
        onClick={() =>
          props.onChange([
            ...entries,
            { id: newId(), key: "", value: { column: columns[0]?.name ?? "" } },
          ])
        }
      >
        <Plus size={14} aria-hidden="true" /> Add to {of}
      </Button>
    </div>
  );
}
