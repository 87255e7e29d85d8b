import { useId, useState } from "react";
import { TextField } from "@/components/streams/field";
import { Field, Input, Select } from "@/components/ui/field";
import type { Draft } from "./draft";
import { ColumnOptions, type Columns, Samples } from "./value-field";

const FORMATS = [
  { id: "iso", label: "ISO 8601, such as 2026-01-02T03:04:05Z" },
  { id: "epoch_s", label: "Seconds since 1970" },
  { id: "epoch_ms", label: "Milliseconds since 1970" },
];
const PATTERN = "pattern";
const FIRST_PATTERN = "dd.MM.yyyy HH:mm:ss";

/** When it happened: the column, how it is written, and the zone of times that name none. */
export function TimeField(props: {
  time: Draft["time"];
  columns: Columns;
  errors: { column?: string; format?: string; zone?: string };
  onChange(time: Draft["time"]): void;
}) {
  const { time, columns, errors } = props;
  const zones = useId();
  const isPattern = !FORMATS.some(({ id }) => id === time.format);
  const isEpoch = time.format.startsWith("epoch");
  const [names] = useState(() => Intl.supportedValuesOf("timeZone"));
  const change = (changes: Partial<Draft["time"]>) => props.onChange({ ...time, ...changes });
  return (
    <fieldset className="grid min-w-0 grid-cols-2 gap-3 max-sm:grid-cols-1">
      <legend className="sr-only">Time</legend>
      <Field
        label="Time"
        error={errors.column ?? null}
        hint={<Samples columns={columns} column={time.column} />}
      >
        {(control) => (
          <Select
            {...control}
            value={time.column}
            onChange={(event) => change({ column: event.target.value })}
          >
            {!columns.some(({ name }) => name === time.column) && (
              <option value={time.column}>{time.column} (not in this file)</option>
            )}
            <ColumnOptions columns={columns} />
          </Select>
        )}
      </Field>
      <Field label="Written as" error={isPattern ? null : (errors.format ?? null)}>
        {(control) => (
          <Select
            {...control}
            value={isPattern ? PATTERN : time.format}
            onChange={({ target }) => {
              const { zone: _, ...rest } = time;
              const isNumber = target.value.startsWith("epoch");
              const format = target.value === PATTERN ? FIRST_PATTERN : target.value;
              // A number of seconds is in no zone.
              props.onChange({ ...(isNumber ? rest : time), format });
            }}
          >
            {FORMATS.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
            <option value={PATTERN}>A pattern…</option>
          </Select>
        )}
      </Field>
      {isPattern && (
        <TextField
          label="Pattern"
          mono
          value={time.format}
          error={errors.format ?? ""}
          hint="yyyy MM dd HH mm ss; MMM is Jan, h and a twelve hours, S a fraction, X an offset"
          onChange={(event) => change({ format: event.target.value })}
        />
      )}
      {!isEpoch && (
        <Field
          label="Time zone of times that name none"
          error={errors.zone ?? null}
          hint="Such as Europe/Oslo or UTC. Left empty, such times are rejected."
        >
          {(control) => (
            <>
              <Input
                {...control}
                list={zones}
                autoComplete="off"
                spellCheck={false}
                value={time.zone ?? ""}
                onChange={({ target }) => {
                  const { zone: _, ...rest } = time;
                  props.onChange(target.value === "" ? rest : { ...time, zone: target.value });
                }}
              />
              <datalist id={zones}>
                <option value="UTC" />
                {names.map((name) => (
                  <option key={name} value={name} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      )}
    </fieldset>
  );
}
