"use client";

import { type FormEvent, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field as FormField, Input, Select } from "@/components/ui/field";
import { type FieldId, fields, getField, isKeyed } from "@/lib/events/fields";
import type { EventFilter } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import type { EventRow } from "@/lib/events/schema";
import { choicesOf, valuesSeen, withClause } from "./clause-choices";

export interface FilterBuilderProps {
  filter: EventFilter;
  /** Events on screen: their values are suggested. */
  rows: readonly EventRow[];
  onChange(q: string): void;
}

/** One clause, chosen instead of typed: field, operator, value. */
export function FilterBuilder(props: FilterBuilderProps) {
  const listId = useId();
  const [fieldId, setFieldId] = useState<FieldId>("action");
  const [choiceIndex, setChoiceIndex] = useState(0);
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const field = getField(fieldId);
  const choices = choicesOf(field);
  const choice = choices[choiceIndex] ?? choices[0];

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!choice) return;
    const ref = fieldRef(fieldId, ...(isKeyed(field) ? key.trim().split(".") : []));
    const built = withClause(props.filter, ref, choice, value.trim());
    if (!built.ok) {
      setProblem(built.problem);
      return;
    }
    setValue("");
    props.onChange(built.q);
  };

  return (
    <form onSubmit={submit} onChange={() => setProblem(null)} className="grid gap-3">
      <div className="grid grid-cols-2 gap-2">
        <FormField label="Field">
          {(control) => (
            <Select
              {...control}
              value={fieldId}
              onChange={(event) => {
                setFieldId(event.target.value as FieldId);
                setChoiceIndex(0);
              }}
            >
              {fields.map(({ id, label }) => (
                <option key={id} value={id}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </FormField>
        <FormField label="Operator">
          {(control) => (
            <Select
              {...control}
              value={choiceIndex}
              onChange={(event) => setChoiceIndex(Number(event.target.value))}
            >
              {choices.map(({ label }, index) => (
                <option key={label} value={index}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </FormField>
      </div>
      {isKeyed(field) && (
        <FormField label="Key">
          {(control) => (
            <Input
              {...control}
              required
              value={key}
              onChange={(event) => setKey(event.target.value)}
              placeholder="request_id"
              autoCapitalize="off"
              spellCheck={false}
              className="font-mono text-[12px]"
            />
          )}
        </FormField>
      )}
      {choice?.needsValue && (
        <FormField label="Value" error={problem}>
          {(control) => (
            <Input
              {...control}
              required
              value={value}
              onChange={(event) => setValue(event.target.value)}
              list={listId}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              className="font-mono text-[12px]"
            />
          )}
        </FormField>
      )}
      <datalist id={listId}>
        {valuesSeen(field, props.rows).map((seen) => (
          <option key={seen} value={seen} />
        ))}
      </datalist>
      <Button type="submit" className="justify-self-end max-sm:justify-self-stretch">
        Add filter
      </Button>
    </form>
  );
}
