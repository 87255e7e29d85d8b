import { type ComponentProps, type ReactNode, useId } from "react";

const CONTROL =
  "w-full rounded-[5px] border border-(--border-control) bg-(--surface) px-2 text-(--text) placeholder:text-(--text-3) h-7 max-sm:h-11 aria-invalid:border-(--in-failed)";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
}

/** Label, input, hint and error, tied together for screen readers. */
export function TextField({
  label,
  hint,
  error,
  mono,
  ...input
}: FieldProps & { mono?: boolean } & Omit<ComponentProps<"input">, "id" | "className">) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <input
        {...input}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={hint || error ? `${id}-help` : undefined}
        autoComplete="off"
        spellCheck={false}
        className={`mt-1 ${CONTROL} ${mono ? "font-mono text-[12px]" : ""}`}
      />
      <Help id={`${id}-help`} hint={hint} error={error} />
    </div>
  );
}

export function Help({ id, hint, error }: { id: string; hint?: ReactNode; error?: string }) {
  if (!hint && !error) return null;
  return (
    <p id={id} className="mt-1 text-[12px] leading-4">
      {error && <span className="block text-(--in-failed)">{error}</span>}
      {hint && <span className="text-(--text-3)">{hint}</span>}
    </p>
  );
}

/** A choice among a few, each with a line about it. */
export function Choices<T extends string>(props: {
  legend: string;
  name: string;
  value: T;
  options: readonly { id: T; label: string; about: string }[];
  onChange(value: T): void;
}) {
  return (
    <fieldset>
      <legend className="font-medium">{props.legend}</legend>
      <div className="mt-1 grid grid-cols-2 gap-3 max-sm:grid-cols-1">
        {props.options.map((option) => (
          <label
            key={option.id}
            className="flex cursor-pointer gap-2.5 rounded-[8px] border border-(--border-strong) p-3 hover:bg-(--hover) has-checked:border-(--accent-line) has-checked:bg-(--selected) has-focus-visible:shadow-(--focus-ring)"
          >
            <input
              type="radio"
              name={props.name}
              checked={option.id === props.value}
              onChange={() => props.onChange(option.id)}
              className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            />
            <span>
              <span className="block font-medium">{option.label}</span>
              <span className="block text-[12px] leading-4 text-(--text-2)">{option.about}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
