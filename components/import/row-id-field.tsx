import { X } from "lucide-react";
import { Field, Select } from "@/components/ui/field";
import { ColumnOptions, type Columns } from "./value-field";

/** The columns by which a row is recognised again, when its file comes a second time. */
export function RowIdField(props: {
  rowId: string[];
  columns: Columns;
  onChange(rowId: string[]): void;
}) {
  const { rowId, columns } = props;
  return (
    <div className="grid gap-2">
      <Field
        label="Recognise rows by"
        hint={
          rowId.length === 0
            ? "No column: rows of the same content count as one."
            : "Together unique for each row of the source: a row whose values were there before is not stored."
        }
      >
        {(control) => (
          <Select
            {...control}
            value=""
            onChange={(event) => props.onChange([...rowId, event.target.value])}
          >
            <option value="" disabled>
              {rowId.length === 0 ? "Choose a column" : "Add a column"}
            </option>
            <ColumnOptions columns={columns.filter(({ name }) => !rowId.includes(name))} />
          </Select>
        )}
      </Field>
      {rowId.length > 0 && (
        <ul aria-label="Columns that rows are recognised by" className="flex flex-wrap gap-1.5">
          {rowId.map((name) => (
            <li
              key={name}
              className="inline-flex max-w-full items-center rounded-[5px] border border-(--border-strong) bg-(--sunken) pl-2 font-mono text-[12px]"
            >
              <span className="min-w-0 truncate">{name}</span>
              <button
                type="button"
                aria-label={`Recognise rows without ${name}`}
                className="grid size-6 shrink-0 place-items-center text-(--text-2) hover:text-(--text) max-sm:size-11"
                onClick={() => props.onChange(rowId.filter((one) => one !== name))}
              >
                <X size={12} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
