"use client";

import { type FormEvent, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Select } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { NewKey } from "./new-key";

interface Props {
  /** Null: closed. */
  name: string | null;
  close(): void;
  rotate(overlapHours: number): Promise<ActionResult<{ key: string }>>;
}

const OVERLAPS: [number, string][] = [
  [24, "for a day"],
  [168, "for a week"],
  [1, "for an hour"],
  [0, "no more"],
];

/** Replaces a key, and shows the new one once. */
export function RotateKey(props: Props) {
  const [made, setMade] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const overlapHours = Number(new FormData(event.currentTarget).get("overlap"));
    startTransition(async () => {
      const result = await props.rotate(overlapHours);
      if (result.ok) setMade(result.data.key);
      else setError(result.message);
    });
  };
  const close = () => {
    setMade(null);
    setError(null);
    props.close();
  };

  return (
    <Dialog
      open={props.name !== null}
      onOpenChange={(open) => !open && close()}
      title={`Rotate ${props.name ?? ""}`}
      description="A new key with the same permissions takes the place of this one."
    >
      {made ? (
        <>
          <NewKey value={made} />
          <div className="flex justify-end">
            <Button onClick={close}>Done</Button>
          </div>
        </>
      ) : (
        <form onSubmit={submit} className="grid gap-4">
          <Field label="The old key still works" error={error}>
            {(control) => (
              <Select {...control} name="overlap">
                {OVERLAPS.map(([hours, words]) => (
                  <option key={hours} value={hours}>
                    {words}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={close}>Keep</Button>
            <Button type="submit" variant="primary" disabled={isPending}>
              Rotate
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
