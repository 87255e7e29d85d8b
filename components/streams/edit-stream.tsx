"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";
import type { SavedStream, StreamSummary } from "@/lib/streams/schema";
import { draftOf, updateInputOf } from "./draft";
import { DraftFields } from "./draft-fields";
import { useDraft } from "./form-state";

/** Configuration of a saved stream; secrets are write-only. */
export function EditStream(props: {
  organizationId: string;
  stream: StreamSummary;
  update(organizationId: string, input: unknown): Promise<ActionResult<SavedStream>>;
  onSaved(): void;
}) {
  const { organizationId, stream } = props;
  const { draft, change, setDraft, errors, problem, isBusy, run } = useDraft(draftOf(stream));
  const [isSaved, setIsSaved] = useState(false);
  const save = () =>
    run(
      () => props.update(organizationId, updateInputOf(stream.id, draft)),
      (saved) => {
        // Entered secrets leave the form; they are known by their last characters from now on.
        setDraft(draftOf(saved.stream));
        setIsSaved(true);
        props.onSaved();
      },
    );
  return (
    <form
      className="mt-6 max-w-[680px]"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <h2 className="mb-3 text-[14px] font-semibold tracking-[-0.012em]">Configuration</h2>
      <DraftFields
        draft={draft}
        errors={errors}
        stored={stream.secrets}
        onChange={(part) => {
          setIsSaved(false);
          change(part);
        }}
      />
      <p className="mt-4 text-[12px] text-(--text-3)">
        Another host needs the secrets again, so that none reaches a host it was not meant for.
      </p>
      {problem && (
        <p role="alert" className="mt-3 text-(--in-failed)">
          {problem}
        </p>
      )}
      <div className="mt-3 flex items-center gap-3">
        <Button type="submit" disabled={isBusy}>
          {isBusy ? "Saving…" : "Save"}
        </Button>
        <span aria-live="polite" className="text-(--text-2)">
          {isSaved && "Saved. Send a test event to see that it works."}
        </span>
      </div>
    </form>
  );
}
