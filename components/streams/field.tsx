import type { ComponentProps, ReactNode } from "react";
import { Field, Input } from "@/components/ui/field";

/** One line of text with label, hint and error. */
export function TextField({
  label,
  hint,
  error,
  mono,
  ...input
}: { label: string; hint?: ReactNode; error?: string; mono?: boolean } & Omit<
  ComponentProps<"input">,
  "id" | "className"
>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <Input
          {...control}
          {...input}
          autoComplete="off"
          spellCheck={false}
          className={mono ? "font-mono text-[12px]" : undefined}
        />
      )}
    </Field>
  );
}

/** A choice among a few, each with a line about it. */
export function Choices<T extends string>(props: {
  legend: string;
  name: string;
  value: T;
  options: readonly { id: T; label: string; about: string }[];
  hint?: string;
  error?: string | undefined;
  columns?: string;
  onChange(value: T): void;
}) {
  return (
    <fieldset className="min-w-0">
      <legend className="font-medium">{props.legend}</legend>
      <div className={`mt-1 grid gap-3 max-sm:grid-cols-1 ${props.columns ?? "grid-cols-2"}`}>
        {props.options.map((option) => (
          <label
            key={option.id}
            className="flex cursor-pointer gap-2.5 rounded-[8px] border border-(--border-strong) p-3 hover:bg-(--hover) has-checked:border-(--accent-line) has-checked:bg-(--selected) has-focus-visible:shadow-(--focus-ring)"
          >
            <input
              type="radio"
              name={props.name}
              checked={option.id === props.value}
              aria-invalid={props.error ? true : undefined}
              onChange={() => props.onChange(option.id)}
              className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            />
            <span>
              <span className="block font-medium">{option.label}</span>
              {option.about && (
                <span className="block text-[12px] leading-4 text-(--text-2)">{option.about}</span>
              )}
            </span>
          </label>
        ))}
      </div>
      {props.hint && <p className="mt-1 text-[12px] text-(--text-3)">{props.hint}</p>}
      {props.error && (
        <p role="alert" className="mt-1 text-[12px] text-(--in-failed)">
          {props.error}
        </p>
      )}
    </fieldset>
  );
}
