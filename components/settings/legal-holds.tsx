"use client";

import { type FormEvent, useRef, useState, useTransition } from "react";
import { formatDay } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import type { Hold } from "@/lib/retention/schema";

interface Props {
  organizationId: string;
  holds: Hold[];
  place(organizationId: string, reason: string): Promise<ActionResult<null>>;
  release(
    organizationId: string,
    release: { id: string; reason: string },
  ): Promise<ActionResult<null>>;
}

const reasonOf = (form: HTMLFormElement) => String(new FormData(form).get("reason") ?? "");

/** Holds, open ones first, and the way to place another. */
export function LegalHolds(props: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [asked, setAsked] = useState<Hold | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = reasonOf(event.currentTarget);
    startTransition(async () => {
      const result = await props.place(props.organizationId, reason);
      setError(result.ok ? null : result.message);
      if (result.ok) form.current?.reset();
    });
  };

  return (
    <div className="grid max-w-[560px] gap-3">
      <p className="text-(--text-2)">
        While a hold is open, nothing of this log is deleted or erased, whatever the period says.
        Both its placing and its release become events of the log.
      </p>
      {props.holds.length === 0 ? (
        <p className="text-(--text-3)">No hold was placed yet.</p>
      ) : (
        <ul className="border-t border-(--border)">
          {props.holds.map((hold) => (
            <li
              key={hold.id}
              className="flex min-h-10 items-center gap-3 border-b border-(--border) py-1.5"
            >
              <div className="min-w-0 flex-1">
                <p className={`break-words ${hold.releasedAt ? "text-(--text-2)" : "font-medium"}`}>
                  {hold.reason}
                </p>
                <p className="text-[12px] break-words text-(--text-2)">
                  Placed {formatDay(hold.createdAt)} by {hold.createdBy}
                  {hold.releasedAt && `, released ${formatDay(hold.releasedAt)}`}
                </p>
                {hold.isOnlySealed && (
                  <p className="text-[12px] text-(--in-failed)">
                    It was released or removed in the database, but the log has no event of that: it
                    stays open until it is released here.
                  </p>
                )}
              </div>
              {!hold.releasedAt && <Button onClick={() => setAsked(hold)}>Release</Button>}
            </li>
          ))}
        </ul>
      )}
      <form
        ref={form}
        onSubmit={submit}
        className="flex items-end gap-2 max-sm:flex-col max-sm:items-stretch"
      >
        <div className="min-w-0 flex-1">
          <Field label="Reason for a hold" error={error}>
            {(control) => (
              <Input
                {...control}
                name="reason"
                required
                maxLength={500}
                placeholder="case 2026-14"
              />
            )}
          </Field>
        </div>
        <Button type="submit" disabled={isPending} className="sm:h-8">
          Place hold
        </Button>
      </form>
      {asked && <ReleaseHold {...props} hold={asked} close={() => setAsked(null)} />}
    </div>
  );
}

function ReleaseHold({ hold, close, ...props }: Props & { hold: Hold; close(): void }) {
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = reasonOf(event.currentTarget);
    startTransition(async () => {
      const result = await props.release(props.organizationId, { id: hold.id, reason });
      if (result.ok) close();
      else setError(result.message);
    });
  };

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && close()}
      title="Release this hold?"
      description={`“${hold.reason}”. What is past retention is deleted with the next run, unless another hold is open.`}
    >
      <form onSubmit={submit} className="grid gap-4">
        <Field label="Reason for the release" error={error}>
          {(control) => <Input {...control} name="reason" required maxLength={500} />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={close}>Keep</Button>
          <Button type="submit" variant="danger" disabled={isPending}>
            Release
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
