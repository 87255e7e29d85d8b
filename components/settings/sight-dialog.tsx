"use client";

import { useState, useTransition } from "react";
import { isFilter } from "@/components/streams/filter-field";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Member } from "@/lib/auth/people";
import { sightWords } from "@/lib/events/sight";
import type { ActionResult } from "@/lib/http/action-result";
import { draftOf, type SightDraft, SightFields } from "./sight-fields";

interface Props {
  member: Member;
  save(sight: SightDraft): Promise<ActionResult<null>>;
}

/** What a viewer sees, and the dialog that changes it. */
export function SightChoice({ member, save }: Props) {
  const { sees, hidden } = sightWords(member.sight);
  const [draft, setDraft] = useState<SightDraft | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isRefused, setRefused] = useState(false);
  const [isPending, startTransition] = useTransition();
  const open = (next: SightDraft | null) => {
    setDraft(next);
    setError(null);
    setRefused(false);
  };
  const submit = () => {
    if (!draft) return;
    if (!isFilter(draft.filter)) return setRefused(true);
    startTransition(async () => {
      const result = await save(draft);
      if (result.ok) open(null);
      else setError(result.message);
    });
  };
  return (
    <>
      <span className="mt-1 block text-[12px] break-words text-(--text-2)">
        Sees <span className={member.sight.filter ? "font-mono" : ""}>{sees}</span>
        {hidden && `; hidden: ${hidden}`}{" "}
        <button
          type="button"
          className="underline decoration-(--border-control) underline-offset-3 max-sm:py-3"
          aria-label={`Change what ${member.name} sees`}
          onClick={() => open(draftOf(member.sight))}
        >
          Change
        </button>
      </span>
      <Dialog
        open={draft !== null}
        onOpenChange={(isOpen) => !isOpen && open(null)}
        title={`What ${member.name} sees`}
      >
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          {draft && <SightFields draft={draft} isRefused={isRefused} onChange={setDraft} />}
          {error && (
            <p role="alert" className="text-(--in-failed)">
              {error}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={() => open(null)}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={isPending}>
              Save
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
