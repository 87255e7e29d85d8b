"use client";

import { type FormEvent, useState, useTransition } from "react";
import { count, formatDay } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";

interface Preview {
  /** Events received before it would go; null: none would. */
  before: string | null;
  events: number;
  all: number;
}

interface Props {
  organizationId: string;
  days: number | null;
  preview: Preview;
  readPreview(organizationId: string, days: number | null): Promise<ActionResult<Preview>>;
  save(organizationId: string, days: number | null): Promise<ActionResult<null>>;
}

const CHOICES = [30, 60, 90, 180, 365, 730, 1_095, 1_825, 2_555, 3_650];

const words = (days: number) =>
  days % 365 === 0 ? `${days / 365} ${days === 365 ? "year" : "years"}` : `${days} days`;

/** How long events are kept, with what that would delete. */
export function RetentionForm(props: Props) {
  const [days, setDays] = useState(props.days);
  const [preview, setPreview] = useState(props.preview);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();
  const choices = [...new Set([...CHOICES, props.days ?? 30])].sort((a, b) => a - b);

  const choose = (text: string) => {
    const chosen = text === "" ? null : Number(text);
    setDays(chosen);
    startTransition(async () => {
      const result = await props.readPreview(props.organizationId, chosen);
      setError(result.ok ? null : result.message);
      if (result.ok) setPreview(result.data);
    });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    startTransition(async () => {
      const result = await props.save(props.organizationId, days);
      setError(result.ok ? null : result.message);
    });
  };

  return (
    <form onSubmit={submit} className="grid max-w-[560px] gap-3">
      <div className="flex items-end gap-2 max-sm:flex-col max-sm:items-stretch">
        <div className="min-w-0 flex-1">
          <Field label="Keep events for" error={error}>
            {(control) => (
              <Select
                {...control}
                value={days ?? ""}
                onChange={(event) => choose(event.target.value)}
              >
                <option value="">ever</option>
                {choices.map((choice) => (
                  <option key={choice} value={choice}>
                    {words(choice)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <Button
          type="submit"
          variant="primary"
          disabled={isPending || days === props.days}
          className="h-8"
        >
          Save
        </Button>
      </div>
      <p role="status" className="text-(--text-2)">
        {preview.before === null
          ? `All ${count(preview.all)} events are kept.`
          : `Would delete ${count(preview.events)} of ${count(preview.all)} events: those received before ${formatDay(preview.before)}.`}{" "}
        This version keeps the setting, and deletes nothing yet.
      </p>
    </form>
  );
}
