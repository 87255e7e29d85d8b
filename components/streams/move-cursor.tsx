"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { cursorMoveWords } from "@/lib/streams/cursor-words";
import { TextField } from "./field";
import type { StreamPart } from "./stream-detail";
import { useWork } from "./use-work";
import { countEvents, formatCount } from "./words";

/** Lets delivery go on at another event, after saying what that sends again or skips. */
export function MoveCursor(props: StreamPart & { onClose(): void }) {
  const { organizationId, stream, actions } = props;
  const { run, problem, errors, isBusy } = useWork();
  const [entered, setEntered] = useState("");
  const [reason, setReason] = useState("");
  const [isAsking, setAsking] = useState(false);
  const toSeq = /^\d{1,15}$/.test(entered.trim()) ? Number(entered) : null;
  const by = toSeq === null ? 0 : toSeq - stream.cursorSeq;
  const words = toSeq === null ? "" : cursorMoveWords(stream.cursorSeq, toSeq);
  const move = () =>
    run(
      () => actions.moveCursor(organizationId, { id: stream.id, toSeq, reason }),
      () => {
        props.onChanged();
        props.onClose();
      },
    );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title="Move to another event"
      description={`The stream goes on at #${formatCount(stream.cursorSeq)} now. The move and its reason are recorded in the log.`}
    >
      <form
        className="grid gap-4"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          // Twice: the second time with what it does in sight.
          if (isAsking && by !== 0) move();
          else setAsking(true);
        }}
      >
        <TextField
          label="Next event"
          name="toSeq"
          inputMode="numeric"
          mono
          required
          value={entered}
          error={
            errors.toSeq ??
            (isAsking && toSeq === null ? "Enter a sequence number, such as 1204." : undefined)
          }
          hint={words || "Sequence number, as the event's page shows it."}
          onChange={(event) => {
            setEntered(event.target.value);
            setAsking(false);
          }}
        />
        <TextField
          label="Reason"
          name="reason"
          required
          value={reason}
          error={errors.reason}
          onChange={(event) => setReason(event.target.value)}
        />
        {isAsking && by !== 0 && (
          <p role="alert" className="rounded-[5px] bg-(--in-fetch-tint) p-3 text-(--in-fetch)">
            {words}
          </p>
        )}
        {problem && Object.keys(errors).length === 0 && (
          <p role="alert" className="text-(--in-failed)">
            {problem}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button
            type="submit"
            variant={isAsking && by > 0 ? "danger" : "primary"}
            disabled={isBusy}
          >
            {!isAsking || by === 0
              ? "Move"
              : by > 0
                ? `Skip ${countEvents(by)}`
                : `Send ${countEvents(-by)} again`}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
