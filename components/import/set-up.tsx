"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { formatBytes } from "@/components/exports/words";
import { Choices } from "@/components/streams/field";
import { useWork } from "@/components/streams/use-work";
import { Button, buttonClasses } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { Field, Select } from "@/components/ui/field";
import { type DelimiterName, delimiterNames } from "@/lib/import/delimiters";
import type { Mapping } from "@/lib/import/mapping";
import type { ImportFormat } from "@/lib/import/read-records";
import type { Import, ImportSetup, ImportSource } from "@/lib/import/schema";
import { type Draft, draftProblem, toDraft, toMapping } from "./draft";
import type { SavedMappings, SetUpActions } from "./listed";
import { MappingForm } from "./mapping-form";
import { PreviewList } from "./preview";
import { SavedMapping } from "./saved-mapping";
import { usePreview } from "./use-preview";
import { DELIMITER_WORDS, FORMAT_WORDS } from "./words";

interface Props {
  organizationId: string;
  initial: Import;
  saved: SavedMappings;
  actions: SetUpActions;
}

const proposed = ({ proposal }: ImportSource): Draft | null =>
  proposal && toDraft(proposal.mapping);

/** An uploaded file on its way to an import: what it is, how its rows become events, and what comes of them. */
export function SetUp({ organizationId, initial, actions, ...props }: Props) {
  const router = useRouter();
  const work = useWork();
  const [one, setOne] = useState(initial);
  const [draft, setDraft] = useState(() => proposed(initial.source));
  const [guard, setGuard] = useState<ImportSetup["guard"]>(null);
  const [saved, setSaved] = useState(props.saved);
  const { source } = one;
  const isGuarded = source.guardLine !== null;
  // Of a long file only the beginning was looked at.
  const mayBeGuarded = source.isOwn && (isGuarded || !source.isWhole);
  const formProblem = draft && draftProblem(draft);
  const mapping: Mapping | null = draft && !formProblem ? toMapping(draft) : null;
  const isDecided = source.problem === null && !formProblem && (!isGuarded || guard !== null);
  const setup: ImportSetup | null = isDecided ? { mapping, guard } : null;
  const { preview, problem, errors, isStale, askAgain } = usePreview(
    organizationId,
    one.id,
    setup,
    `${source.format} ${source.delimiter}`,
    actions.preview,
  );
  const here = `/o/${organizationId}/import`;
  const blocked = source.problem ?? formProblem ?? problem;

  const recognise = (format: ImportFormat, delimiter: DelimiterName | null) =>
    work.run(
      () => actions.recognise(organizationId, one.id, { format, delimiter }),
      (next) => {
        setOne(next);
        setDraft(proposed(next.source));
        setGuard(null);
      },
    );
  const start = () => {
    if (!setup) return;
    work.run(
      () => actions.start(organizationId, one.id, setup),
      () => router.push(`${here}#${one.id}`),
    );
  };
  return (
    <>
      <h1 className="text-[16px] leading-6 font-semibold tracking-[-0.012em] break-all">
        {one.fileName}
      </h1>
      <p className="text-(--text-2)">
        {formatBytes(one.bytes)}, uploaded. Nothing is imported until you start it.
      </p>
      <div className="mt-5 grid gap-x-10 gap-y-8 xl:grid-cols-[minmax(0,560px)_minmax(0,1fr)]">
        <div className="grid min-w-0 content-start gap-6">
          <WhatItIs source={source} isBusy={work.isBusy} onChange={recognise} />
          {mayBeGuarded && (
            <Choices
              legend="Apostrophes before formula signs"
              name="guard"
              value={guard ?? (isGuarded ? "" : "refuse")}
              options={[
                {
                  id: "strip",
                  label: "Take them off",
                  about: "The file was exported for a spreadsheet, which put them there.",
                },
                { id: "keep", label: "Keep them", about: "They are the events’ own." },
                ...(isGuarded
                  ? []
                  : [
                      {
                        id: "refuse",
                        label: "There are none",
                        about: "If one is found after all, nothing is imported.",
                      },
                    ]),
              ]}
              hint={
                isGuarded
                  ? `Line ${source.guardLine} is the first with one. Events get back what they had only if this is right.`
                  : "None is in the beginning of this file, which is as far as was looked."
              }
              onChange={(next) => setGuard(next === "refuse" ? null : (next as "strip" | "keep"))}
            />
          )}
          {draft && (
            <>
              <SavedMapping
                organizationId={organizationId}
                saved={saved}
                mapping={mapping}
                actions={actions}
                onSaved={setSaved}
                onChoose={(chosen) => setDraft(chosen ? toDraft(chosen) : proposed(source))}
              />
              <Notes notes={source.proposal?.notes ?? []} />
              <MappingForm
                draft={draft}
                columns={source.columns}
                errors={errors}
                onChange={setDraft}
              />
            </>
          )}
        </div>
        <div className="min-w-0 xl:sticky xl:top-0 xl:max-h-[calc(100dvh-150px)] xl:self-start xl:overflow-auto">
          {isGuarded && guard === null ? (
            <p className="text-(--text-2)">Say what becomes of the apostrophes to see a preview.</p>
          ) : (
            <PreviewList
              preview={source.problem ? null : preview}
              problem={blocked}
              isStale={isStale}
              onAgain={problem !== null && blocked === problem ? askAgain : null}
            />
          )}
        </div>
      </div>
      <div className="sticky bottom-0 -mx-8 mt-8 border-t border-(--border) bg-(--bg) px-8 py-3 max-sm:-mx-4 max-sm:px-4">
        {work.problem && (
          <p role="alert" className="mb-2 text-(--in-failed)">
            {[work.problem, ...Object.entries(work.errors).map((pair) => pair.join(" "))].join(" ")}
          </p>
        )}
        <div className="flex flex-wrap gap-2">
          <Button
            variant="primary"
            disabled={work.isBusy || setup === null || isStale || blocked !== null}
            onClick={start}
          >
            {work.isBusy ? "One moment…" : "Start import"}
          </Button>
          <ButtonLink href={here}>Later</ButtonLink>
          <a href="#preview" className={buttonClasses({ variant: "quiet" }, "xl:hidden")}>
            Preview
          </a>
          <Button
            variant="quiet"
            disabled={work.isBusy}
            className="ml-auto"
            onClick={() =>
              work.run(
                () => actions.remove(organizationId, one.id),
                () => router.push(here),
              )
            }
          >
            Discard
          </Button>
        </div>
      </div>
    </>
  );
}

/** What the file was taken for, to be corrected. */
function WhatItIs(props: {
  source: ImportSource;
  isBusy: boolean;
  onChange(format: ImportFormat, delimiter: DelimiterName | null): void;
}) {
  const { source, isBusy, onChange } = props;
  return (
    <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
      <Field
        label="The file is"
        hint={source.isOwn ? "An export of Trailseal: its columns are known." : undefined}
      >
        {(control) => (
          <Select
            {...control}
            value={source.format}
            disabled={isBusy}
            onChange={({ target }) => onChange(target.value as ImportFormat, null)}
          >
            {Object.entries(FORMAT_WORDS).map(([id, label]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {source.format === "csv" && (
        <Field label="Cells are separated by">
          {(control) => (
            <Select
              {...control}
              value={source.delimiter ?? ""}
              disabled={isBusy}
              onChange={({ target }) => onChange("csv", target.value as DelimiterName)}
            >
              {source.delimiter === null && (
                <option value="" disabled>
                  Not found
                </option>
              )}
              {delimiterNames.map((name) => (
                <option key={name} value={name}>
                  {DELIMITER_WORDS[name]}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
    </div>
  );
}

/** What a proposal could not tell. */
function Notes({ notes }: { notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <ul aria-label="To look at" className="grid gap-1 text-[12px] text-(--in-fetch)">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
