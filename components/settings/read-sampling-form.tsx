"use client";

import { type FormEvent, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import type { ReadSampling } from "@/lib/events/reads";
import type { ActionResult } from "@/lib/http/action-result";

const CHOICES: [sampling: ReadSampling, words: string][] = [
  [1, "all"],
  [10, "1 in 10"],
  [100, "1 in 100"],
  [0, "none"],
];

/** How many of the reads of this log are events of it. */
export function ReadSamplingForm(props: {
  organizationId: string;
  sampling: ReadSampling;
  save(organizationId: string, sampling: ReadSampling): Promise<ActionResult<null>>;
}) {
  const [sampling, setSampling] = useState(props.sampling);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent) => {
    event.preventDefault();
    startTransition(async () => {
      const result = await props.save(props.organizationId, sampling);
      setError(result.ok ? null : result.message);
    });
  };

  return (
    <form onSubmit={submit} className="grid max-w-[560px] gap-3">
      <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
        <Field label="Record reads" error={error}>
          {(control) => (
            <Select
              {...control}
              value={sampling}
              onChange={(event) => setSampling(Number(event.target.value) as ReadSampling)}
            >
              {CHOICES.map(([choice, words]) => (
                <option key={choice} value={choice}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <p className="text-(--text-2)">
        Searches and views of events and timelines are events of this log, sealed before anything is
        shown. Downloads, exports, verifications and changes are recorded always.
      </p>
      <div className="flex max-sm:flex-col">
        <Button
          type="submit"
          variant="primary"
          disabled={isPending || sampling === props.sampling}
          className="sm:h-8"
        >
          Apply
        </Button>
      </div>
    </form>
  );
}
