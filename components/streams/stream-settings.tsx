"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { DestinationForm } from "@/lib/streams/registry";
import { draftOf, updateInputOf } from "./draft";
import { DraftFields } from "./draft-fields";
import { Choices, TextField } from "./field";
import { FilterField } from "./filter-field";
import { RotateSecrets } from "./rotate-secrets";
import type { StreamPart } from "./stream-detail";
import { useWork } from "./use-work";
import { formatCount } from "./words";

const HEADING = "text-[14px] font-semibold tracking-[-0.012em]";

/** Everything that a saved stream can be told; secrets are write-only. */
export function StreamSettings(props: StreamPart & { form: DestinationForm }) {
  const { organizationId, stream, actions, form, onChanged } = props;
  const { run, problem, errors, isBusy } = useWork();
  const [draft, setDraft] = useState(() => draftOf(stream));
  const [isSaved, setSaved] = useState(false);
  const change = (part: Partial<typeof draft>) => {
    setSaved(false);
    setDraft((before) => ({ ...before, ...part }));
  };
  const save = () =>
    run(
      () => actions.update(organizationId, updateInputOf(stream.id, draft, form)),
      (saved) => {
        // Entered secrets leave the form; they are known by their last characters from now on.
        setDraft(draftOf(saved.stream));
        setSaved(true);
        onChanged();
      },
    );
  return (
    <div className="grid max-w-[680px] gap-8">
      <form
        noValidate
        aria-label="Settings"
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <DraftFields
          draft={draft}
          form={form}
          errors={errors}
          stored={stream.secrets}
          onChange={change}
        />
        <p className="-mt-1 text-[12px] text-(--text-3)">
          Another host needs the secrets again, so that none reaches a host it was not meant for.
        </p>
        <Choices
          legend="Format"
          name="format"
          value={draft.format}
          options={form.formats}
          error={errors.format}
          onChange={(format) => change({ format })}
        />
        <FilterField
          value={draft.filter}
          isRefused={errors.filter !== undefined}
          onChange={(filter) => change({ filter })}
        />
        <div className="grid grid-cols-2 items-start gap-3 max-sm:grid-cols-1">
          <TextField
            label="Repeat the checkpoint after, minutes"
            name="heartbeatMinutes"
            inputMode="numeric"
            value={draft.heartbeatMinutes}
            error={errors.heartbeatMinutes}
            hint="When there is nothing else to say: the receiver sees that the stream lives. 0: never."
            onChange={(event) => change({ heartbeatMinutes: event.target.value })}
          />
          <TextField
            label="Alert when an event waits, minutes"
            name="lagAlertMinutes"
            inputMode="numeric"
            value={draft.lagAlertMinutes}
            error={errors.lagAlertMinutes}
            hint="Age of the oldest event that is not delivered. 0: never."
            onChange={(event) => change({ lagAlertMinutes: event.target.value })}
          />
        </div>
        {problem && (
          <p role="alert" className="text-(--in-failed)">
            {problem}
          </p>
        )}
        <div className="flex items-center gap-3">
          <Button type="submit" variant="primary" disabled={isBusy}>
            {isBusy ? "Saving…" : "Save"}
          </Button>
          <span aria-live="polite" className="text-(--text-2)">
            {isSaved && "Saved. Send a test event to see that it works."}
          </span>
        </div>
      </form>
      <RotateSecrets {...props} />
      <DeleteStream {...props} />
    </div>
  );
}

function DeleteStream({ organizationId, stream, actions }: StreamPart) {
  const router = useRouter();
  const { run, problem, isBusy } = useWork();
  const [isAsking, setAsking] = useState(false);
  return (
    <section aria-labelledby="delete" className="border-t border-(--border) pt-4">
      <h2 id="delete" className={HEADING}>
        Delete this stream
      </h2>
      <p className="mt-0.5 mb-2.5 text-(--text-2)">
        Delivery stops; its secrets and its place in the log are forgotten. What the receiver has
        stays there.
      </p>
      <Button variant="danger" onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Dialog
        open={isAsking}
        onOpenChange={setAsking}
        title={`Delete ${stream.name}?`}
        description={
          stream.lagEvents > 0
            ? `${formatCount(stream.lagEvents)} events still wait. They stay in the log.`
            : "Nothing waits."
        }
      >
        {problem && (
          <p role="alert" className="text-(--in-failed)">
            {problem}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsking(false)}>Keep</Button>
          <Button
            variant="danger"
            disabled={isBusy}
            onClick={() =>
              run(
                () => actions.remove(organizationId, stream.id),
                () => router.push(`/o/${organizationId}/integrity/streams`),
              )
            }
          >
            Delete
          </Button>
        </div>
      </Dialog>
    </section>
  );
}
