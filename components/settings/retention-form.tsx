"use client";

import { type FormEvent, useState, useTransition } from "react";
import { count, formatDay } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import type { RetentionPreview, Undelivered } from "@/lib/retention/schema";
import { periodWords } from "./retention-words";

interface Props {
  organizationId: string;
  /** The organization's own; null: the instance's default, else for ever. */
  days: number | null;
  defaultDays: number | null;
  /** Days that nothing goes after a change. */
  graceDays: number;
  undelivered: Undelivered;
  /** The log says the same; else saving puts it there. */
  isSealed: boolean;
  preview: RetentionPreview;
  readPreview(organizationId: string, days: number | null): Promise<ActionResult<RetentionPreview>>;
  save(
    organizationId: string,
    policy: { days: number | null; undelivered: Undelivered },
  ): Promise<ActionResult<null>>;
}

const CHOICES = [30, 60, 90, 180, 365, 730, 1_095, 1_825, 2_555, 3_650];

/** How long events are kept, with what that would delete. */
export function RetentionForm(props: Props) {
  const [days, setDays] = useState(props.days);
  const [undelivered, setUndelivered] = useState(props.undelivered);
  const [preview, setPreview] = useState(props.preview);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();
  const choices = [...new Set([...CHOICES, props.days ?? 30])].sort((a, b) => a - b);
  const isSaved = props.isSealed && days === props.days && undelivered === props.undelivered;

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
      const result = await props.save(props.organizationId, { days, undelivered });
      setError(result.ok ? null : result.message);
    });
  };

  return (
    <form onSubmit={submit} className="grid max-w-[560px] gap-3">
      <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
        <Field label="Keep events for" error={error}>
          {(control) => (
            <Select
              {...control}
              value={days ?? ""}
              onChange={(event) => choose(event.target.value)}
            >
              <option value="">
                {props.defaultDays === null
                  ? "ever"
                  : `${periodWords(props.defaultDays)}, as the instance says`}
              </option>
              {choices.map((choice) => (
                <option key={choice} value={choice}>
                  {periodWords(choice)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label="Events that a stream has not delivered">
          {(control) => (
            <Select
              {...control}
              value={undelivered}
              onChange={(event) => setUndelivered(event.target.value as Undelivered)}
            >
              <option value="hold">stay until it has</option>
              <option value="delete">go all the same</option>
            </Select>
          )}
        </Field>
      </div>
      <p role="status" className="text-(--text-2)">
        {preview.before === null
          ? `All ${count(preview.all)} events are kept.`
          : isSaved
            ? "What it deletes next is said below."
            : `Would delete ${count(preview.events)} of ${count(preview.all)} events now: those received before ${formatDay(preview.before)}.${graceWords(props.graceDays)}`}
      </p>
      <div className="flex max-sm:flex-col">
        <Button type="submit" variant="primary" disabled={isPending || isSaved} className="sm:h-8">
          Save
        </Button>
      </div>
    </form>
  );
}

const graceWords = (days: number) =>
  days === 0 ? "" : ` After a change nothing is deleted for ${periodWords(days)}.`;
