"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Choices, TextField } from "./field";
import type { StreamPart } from "./stream-detail";
import { useEstimate } from "./use-estimate";
import { useWork } from "./use-work";

type By = "time" | "seq";

const iso = (local: string): string | undefined => {
  const ms = Date.parse(`${local}Z`);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
};

/** A range by time or by sequence number, and how fast. */
export function StartBackfill(props: StreamPart & { onClose(): void }) {
  const { organizationId, stream, actions } = props;
  const { run, problem, errors, isBusy } = useWork();
  const [by, setBy] = useState<By>("time");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [rate, setRate] = useState("");
  const [isRefused, setRefused] = useState(false);
  const isTime = by === "time";
  const range = isTime
    ? { fromTime: iso(from), ...(to ? { toTime: iso(to) } : {}) }
    : { fromSeq: from.trim(), ...(to.trim() ? { toSeq: to.trim() } : {}) };
  const hasStart = isTime ? iso(from) !== undefined : from.trim() !== "";
  const estimate = useEstimate(hasStart ? { ...range, filter: stream.filter } : null, (input) =>
    actions.estimate(organizationId, input),
  );
  const field = (name: "from" | "to") => errors[`${name}${isTime ? "Time" : "Seq"}`];
  const missing = isRefused && !hasStart ? "Enter where it begins." : undefined;
  const input = isTime
    ? ({ type: "datetime-local" } as const)
    : ({ inputMode: "numeric", mono: true } as const);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title="Start a backfill"
      description="Events that the receiver has already get there again, with the same ids. The stream's filter applies."
    >
      <form
        noValidate
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          setRefused(true);
          if (!hasStart) return;
          run(
            () =>
              actions.startBackfill(organizationId, {
                ...{ id: stream.id, ...range },
                ratePerSecond: rate.trim() || null,
              }),
            props.onChanged,
          );
        }}
      >
        <Choices
          legend="Range by"
          name="by"
          value={by}
          options={[
            { id: "time", label: "Time received", about: "" },
            { id: "seq", label: "Sequence number", about: "" },
          ]}
          onChange={(next) => {
            setBy(next);
            setFrom("");
            setTo("");
          }}
        />
        <div className="grid grid-cols-2 items-start gap-3 max-sm:grid-cols-1">
          <TextField
            {...input}
            label={isTime ? "From (UTC)" : "First event"}
            name="from"
            required
            value={from}
            error={field("from") ?? missing}
            onChange={(event) => setFrom(event.target.value)}
          />
          <TextField
            {...input}
            label={isTime ? "Until (UTC)" : "Until before event"}
            name="to"
            value={to}
            error={field("to")}
            hint="Empty: the log's end as it is now."
            onChange={(event) => setTo(event.target.value)}
          />
        </div>
        <TextField
          label="Events per second at most"
          name="rate"
          inputMode="numeric"
          value={rate}
          error={errors.ratePerSecond}
          hint="Empty: as fast as the receiver takes them."
          onChange={(event) => setRate(event.target.value)}
        />
        {hasStart && (
          <p role="status" className="text-(--text-2)">
            {estimate}
          </p>
        )}
        {problem && Object.keys(errors).length === 0 && (
          <p role="alert" className="text-(--in-failed)">
            {problem}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={props.onClose}>Cancel</Button>
          <Button type="submit" variant="primary" disabled={isBusy}>
            {isBusy ? "Starting…" : "Start"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
