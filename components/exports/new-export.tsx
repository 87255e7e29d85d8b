"use client";

import { type FormEvent, useEffect, useRef, useState } from "react";
import { TimeControl } from "@/components/events/time-control";
import { useTableLayout } from "@/components/events/use-table-layout";
import { Choices } from "@/components/streams/field";
import { FilterField, isFilter } from "@/components/streams/filter-field";
import { useWork } from "@/components/streams/use-work";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { type TimeRange, toSearchParams } from "@/lib/events/filter/url";
import type { ExportFormat } from "@/lib/exports/schema";
import type { ExportActions, ExportDraft, ListedExport } from "./listed";
import { columnWords, FORMATS, rangeWords } from "./words";

const FORMAT_CHOICES = Object.entries(FORMATS).map(([id, words]) => ({
  id: id as ExportFormat,
  ...words,
}));

function timeNote(time: TimeRange): string {
  if (time.kind === "relative")
    return "Counted back from the moment of the export, to the newest event.";
  return time.kind === "all" ? "Every event kept." : `${rangeWords(time.from, time.to)}.`;
}

/** What the file shall hold, and as what. */
export function NewExport(props: {
  organizationId: string;
  draft: ExportDraft;
  create: ExportActions["create"];
  onCreated(one: ListedExport): void;
}) {
  const { organizationId, draft } = props;
  const work = useWork();
  const heading = useRef<HTMLHeadingElement>(null);
  const { layout } = useTableLayout("layout");
  const shown = draft.columns ?? layout.columns.map(({ id }) => id);
  const [format, setFormat] = useState<ExportFormat>("csv");
  const [q, setQ] = useState(draft.q);
  const [isRefused, setRefused] = useState(!isFilter(draft.q));
  const [time, setTime] = useState(draft.time);
  const [fields, setFields] = useState<"all" | "shown">(draft.columns ? "shown" : "all");
  const [raw, setRaw] = useState(false);
  const [proof, setProof] = useState(false);
  const isBundle = format === "bundle";
  const isCsv = format === "csv";

  useEffect(() => heading.current?.focus(), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    // The control of times has a form of its own, whose events come by here.
    if (event.target !== event.currentTarget) return;
    if (!isBundle && !isFilter(q)) return setRefused(true);
    const search = { q, time, event: null, after: null, before: null };
    work.run(
      () =>
        props.create(organizationId, {
          format,
          query: isBundle ? "" : toSearchParams(search).toString(),
          options: {
            columns: isCsv && fields === "shown" ? shown : null,
            raw: isCsv && raw,
            proof,
          },
        }),
      props.onCreated,
    );
  };
  return (
    <form
      noValidate
      onSubmit={submit}
      aria-labelledby="new-export"
      className="mb-8 grid max-w-[880px] gap-5"
    >
      <h2
        id="new-export"
        ref={heading}
        tabIndex={-1}
        className="text-[16px] leading-6 font-semibold tracking-[-0.012em] outline-0 focus-visible:shadow-none"
      >
        New export
      </h2>
      <Choices
        legend="File"
        name="format"
        columns="grid-cols-3"
        value={format}
        options={FORMAT_CHOICES}
        hint={
          isBundle
            ? "A bundle holds the whole log from its beginning to its end: filter, time and columns do not apply."
            : undefined
        }
        onChange={(next) => setFormat(next)}
      />
      {!isBundle && (
        <>
          <FilterField
            value={q}
            isRefused={isRefused}
            onChange={(next) => {
              setRefused(false);
              setQ(next);
            }}
          />
          <fieldset className="grid min-w-0 justify-items-start gap-1">
            <legend className="mb-1 font-medium">Time</legend>
            <TimeControl organizationId={organizationId} time={time} onChange={setTime} />
            <p className="text-[12px] text-(--text-3)">
              {timeNote(time)} Times in the file are always UTC.
            </p>
          </fieldset>
        </>
      )}
      {isCsv && (
        <Choices
          legend="Columns"
          name="columns"
          value={fields}
          options={[
            { id: "all", label: "All fields", about: "Everything that is known of an event." },
            { id: "shown", label: "As shown in the explorer", about: columnWords(shown) },
          ]}
          onChange={(next) => setFields(next)}
        />
      )}
      {!isBundle && (
        <div className="grid gap-1">
          {isCsv && (
            <Check checked={raw} onChange={setRaw} label="Raw cells">
              Without this, a cell that a spreadsheet would run as a formula begins with an
              apostrophe. Raw is for programs: do not open it in a spreadsheet.
            </Check>
          )}
          <Check checked={proof} onChange={setProof} label="Prove completeness">
            The manifest carries the hashes of all events that are not in the file: with the log's
            key, every event up to the signed end can be accounted for. Which of them the filter
            passes over stays this server's word.
          </Check>
        </div>
      )}
      {work.problem && (
        <p role="alert" className="text-(--in-failed)">
          {[work.problem, ...Object.values(work.errors)].join(" ")}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" disabled={work.isBusy}>
          {work.isBusy ? "Creating…" : "Create export"}
        </Button>
        <ButtonLink href={`/o/${organizationId}/exports`}>Close</ButtonLink>
      </div>
    </form>
  );
}

function Check(props: {
  label: string;
  checked: boolean;
  onChange(checked: boolean): void;
  children: string | string[];
}) {
  return (
    <label className="flex items-start gap-2.5 max-sm:min-h-11 max-sm:py-1.5">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.target.checked)}
        className="mt-0.5 size-4 shrink-0 accent-(--accent)"
      />
      <span>
        {props.label}
        <span className="block max-w-[88ch] text-[12px] leading-4 text-(--text-2)">
          {props.children}
        </span>
      </span>
    </label>
  );
}
