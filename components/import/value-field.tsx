import { Field, Input, Select } from "@/components/ui/field";
import type { ImportSource } from "@/lib/import/schema";
import type { Value } from "./draft";

export type Columns = ImportSource["columns"];

interface Props<V extends Value | undefined> {
  label: string;
  value: V;
  columns: Columns;
  error?: string | undefined;
  /** What it means to leave it out; fields that must be set have none. */
  none?: string;
  onChange(value: V): void;
}

const COLUMN = "column ";

function choiceOf(value: Value | undefined): string {
  if (!value) return "none";
  if ("column" in value) return `${COLUMN}${value.column}`;
  return "constant" in value ? "constant" : "template";
}

function valueFor(choice: string, before: Value | undefined, columns: Columns): Value | undefined {
  if (choice === "none") return undefined;
  if (choice.startsWith(COLUMN)) return { column: choice.slice(COLUMN.length) };
  if (choice === "constant") return { constant: "" };
  const column = before && "column" in before ? before.column : columns[0]?.name;
  return { template: `{${column}}` };
}

/** One field of the event: a column with some of its values, the same text for every row, or text with columns in it. */
export function ValueField<V extends Value | undefined>(props: Props<V>) {
  const { label, value, columns, none } = props;
  const change = (next: Value | undefined) => props.onChange(next as V);
  const column = value && "column" in value ? value.column : null;
  return (
    <div className="grid min-w-0 grid-cols-1 content-start gap-1">
      <Field
        label={label}
        error={props.error ?? null}
        hint={column !== null ? <Samples columns={columns} column={column} /> : undefined}
      >
        {(control) => (
          <Select
            {...control}
            value={choiceOf(value)}
            onChange={(event) => change(valueFor(event.target.value, value, columns))}
          >
            {none !== undefined && <option value="none">{none}</option>}
            <ColumnOptions columns={columns} prefix={COLUMN} />
            {column !== null && !columns.some(({ name }) => name === column) && (
              <option value={`${COLUMN}${column}`}>{column} (not in this file)</option>
            )}
            <optgroup label="For every row">
              <option value="constant">The same text…</option>
              <option value="template">Text with columns…</option>
            </optgroup>
          </Select>
        )}
      </Field>
      {value && "constant" in value && (
        <Input
          aria-label={`${label}: text`}
          value={value.constant}
          autoComplete="off"
          onChange={(event) => change({ constant: event.target.value })}
        />
      )}
      {value && "template" in value && (
        <Input
          aria-label={`${label}: text with columns in braces`}
          value={value.template}
          autoComplete="off"
          className="font-mono text-[12px]"
          placeholder={`{${columns[0]?.name}}.{${columns[1]?.name ?? columns[0]?.name}}`}
          onChange={(event) => change({ template: event.target.value })}
        />
      )}
    </div>
  );
}

/** Each column with a value to know it by. */
export function ColumnOptions({ columns, prefix = "" }: { columns: Columns; prefix?: string }) {
  return (
    <optgroup label="Columns of the file">
      {columns.map(({ name, samples }) => (
        <option key={name} value={`${prefix}${name}`}>
          {samples[0] ? `${name} — ${short(samples[0])}` : `${name} (empty)`}
        </option>
      ))}
    </optgroup>
  );
}

const short = (text: string) => (text.length > 32 ? `${text.slice(0, 31)}…` : text);

export function Samples({ columns, column }: { columns: Columns; column: string }) {
  const found = columns.find(({ name }) => name === column);
  if (!found) return <span className="text-(--in-failed)">This file has no such column.</span>;
  if (found.samples.length === 0) return "Empty in the rows looked at.";
  return <span className="block truncate font-mono">{found.samples.join(" · ")}</span>;
}
