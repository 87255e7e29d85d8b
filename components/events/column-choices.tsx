"use client";

import { ArrowDown, ArrowUp, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { fields, isKeyed } from "@/lib/events/fields";
import {
  addColumn,
  COLUMN_IDS,
  columnField,
  columnIdOf,
  type Density,
  MAX_COLUMNS,
  moveColumn,
  ROW_HEIGHTS_PX,
  removeColumn,
  type TableLayout,
} from "@/lib/events/table-layout";
import { columnLabel } from "./column-label";

export interface ColumnChoicesProps {
  layout: TableLayout;
  /** Whether a reset would change anything. */
  isChanged: boolean;
  onChange(layout: TableLayout): void;
  onReset(): void;
}

/** What the menu of columns holds. */
export function ColumnChoices({ layout, isChanged, onChange, onReset }: ColumnChoicesProps) {
  const hidden = COLUMN_IDS.filter((id) => !layout.columns.some((column) => column.id === id));
  return (
    <div className="-m-1 grid max-h-[70dvh] gap-3 overflow-auto p-1">
      <ul aria-label="Shown columns" className="grid">
        {layout.columns.map(({ id }, index) => (
          <li key={id} className="flex h-7 items-center gap-1">
            <span className="min-w-0 flex-1 truncate" title={id}>
              {columnLabel(id)}
            </span>
            <Button
              variant="quiet"
              icon
              aria-label={`Move ${columnLabel(id)} left`}
              disabled={index === 0}
              onClick={() => onChange(moveColumn(layout, id, -1))}
            >
              <ArrowUp size={14} aria-hidden="true" />
            </Button>
            <Button
              variant="quiet"
              icon
              aria-label={`Move ${columnLabel(id)} right`}
              disabled={index === layout.columns.length - 1}
              onClick={() => onChange(moveColumn(layout, id, 1))}
            >
              <ArrowDown size={14} aria-hidden="true" />
            </Button>
            <Button
              variant="quiet"
              icon
              aria-label={`Hide ${columnLabel(id)}`}
              title={id === "time" ? "The list is ordered by time, so it stays" : undefined}
              disabled={id === "time"}
              onClick={() => onChange(removeColumn(layout, id))}
            >
              <X size={14} aria-hidden="true" />
            </Button>
          </li>
        ))}
      </ul>
      {hidden.length > 0 && (
        <p className="flex flex-wrap gap-1.5">
          {hidden.map((id) => (
            <Button key={id} onClick={() => onChange(addColumn(layout, id))}>
              + {columnLabel(id)}
            </Button>
          ))}
        </p>
      )}
      <AddField layout={layout} onChange={onChange} />
      <fieldset className="flex gap-3 border-t border-(--border) pt-3">
        <legend className="sr-only">Row height</legend>
        {(Object.keys(ROW_HEIGHTS_PX) as Density[]).map((density) => (
          <label key={density} className="flex items-center gap-1.5 capitalize">
            <input
              type="radio"
              name="density"
              checked={layout.density === density}
              onChange={() => onChange({ ...layout, density })}
              className="accent-(--accent)"
            />
            {density}
          </label>
        ))}
      </fieldset>
      <Button disabled={!isChanged} onClick={onReset}>
        Reset
      </Button>
    </div>
  );
}

function AddField({ layout, onChange }: Pick<ColumnChoicesProps, "layout" | "onChange">) {
  const [error, setError] = useState<string | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get("field") ?? "").trim();
    const field = columnField(text);
    if (!field) setError(`There is no field ${text || "without a name"}. Try metadata.key.`);
    else if (layout.columns.length >= MAX_COLUMNS) setError(`A table has ${MAX_COLUMNS} columns.`);
    else {
      setError(null);
      form.reset();
      onChange(addColumn(layout, columnIdOf(field)));
    }
  };
  return (
    <form onSubmit={submit} className="flex items-end gap-2 border-t border-(--border) pt-3">
      <div className="min-w-0 flex-1">
        <Field label="Add a field" error={error}>
          {(control) => (
            <Input {...control} name="field" list="column-fields" placeholder="metadata.key" />
          )}
        </Field>
      </div>
      <datalist id="column-fields">
        {fields.map((field) => (
          <option key={field.id} value={isKeyed(field) ? `${field.id}.` : field.id} />
        ))}
      </datalist>
      <Button type="submit">Add</Button>
    </form>
  );
}
