"use client";

import { formatBytes } from "@/components/exports/words";
import { formatCount, formatMoment } from "@/components/integrity/words";
import { Button, buttonClasses } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { CopyButton } from "@/components/ui/copy-button";
import { Progress } from "@/components/ui/progress";
import type { Import } from "@/lib/import/schema";
import { isUnderWay } from "./listed";
import { ImportStateMark } from "./state-mark";
import { countRows, outcomeWords, type Paces, progressWords, sourceWords } from "./words";

interface Props {
  organizationId: string;
  one: Import;
  paces: Paces | undefined;
  isBusy: boolean;
  onAsk(kind: "cancel" | "remove", one: Import): void;
}

/** One import: its state, its file, what became of its rows, and what can be done with it now. */
export function ImportItem(props: Props) {
  const { one, paces } = props;
  return (
    <li
      id={one.id}
      tabIndex={-1}
      data-testid="import"
      data-state={one.state}
      aria-label={`Import of ${one.fileName}`}
      className="border-b border-(--border) py-4"
    >
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <div className="flex flex-wrap items-center gap-x-2.5">
            <ImportStateMark state={one.state} />
            <h2 className="min-w-0 font-medium break-all">{one.fileName}</h2>
            <span className="text-(--text-2)">
              {sourceWords(one.source)}, {formatBytes(one.bytes)}
            </span>
          </div>
          {!isUnderWay(one) && one.state !== "uploaded" && <Outcome one={one} />}
          <p className="mt-1 text-[12px] text-(--text-3)">
            Uploaded by {one.createdBy}, {formatMoment(one.createdAt)}
            {one.state === "uploaded" &&
              one.expiresAt &&
              `. Deleted ${formatMoment(one.expiresAt)} unless it is imported.`}
          </p>
        </div>
        <Actions {...props} />
      </div>
      {isUnderWay(one) && <HowFar one={one} paces={paces} />}
      {one.state === "failed" && (
        <p className="mt-2 max-w-[98ch] text-(--in-failed)">
          {one.error ?? "The cause is not known."}
          <span className="block text-(--text-2)">
            {one.outcome.stored > 0
              ? "What was imported stays. Upload the file again once this is mended: nothing is stored twice."
              : "Nothing was imported. Upload the file again once this is mended."}
          </span>
        </p>
      )}
      {one.state === "cancelled" && one.outcome.stored > 0 && (
        <p className="mt-2 text-(--text-2)">
          What was imported stays; the same file goes on from there.
        </p>
      )}
      {!isUnderWay(one) && one.state !== "uploaded" && <Details one={one} />}
    </li>
  );
}

function Outcome({ one }: { one: Import }) {
  const { outcome } = one;
  const [first, ...rest] = outcomeWords(outcome);
  return (
    <p className="mt-1 flex flex-wrap gap-x-4 gap-y-1">
      <span className="font-medium">{first}</span>
      {rest.map((part) => (
        <span key={part} className="text-(--text-2)">
          {part}
        </span>
      ))}
      <span className="text-(--text-3)">of {countRows(outcome.read)} read</span>
    </p>
  );
}

function Details({ one }: { one: Import }) {
  const { examples, repeats, ignored, rejects_left_out: leftOut = 0 } = one.outcome;
  return (
    <>
      {repeats > 0 && (
        <p className="mt-2 max-w-[98ch] text-[12px] text-(--in-fetch)">
          {countRows(repeats)} {repeats === 1 ? "has" : "have"} the identity of an earlier row of
          this file and {repeats === 1 ? "was" : "were"} not stored. If{" "}
          {repeats === 1 ? "it is an event" : "they are events"} of{" "}
          {repeats === 1 ? "its" : "their"} own, choose other columns to recognise rows by and
          import the file again.
        </p>
      )}
      {examples.length > 0 && (
        <ul aria-label="Rejected rows" className="mt-2 grid max-w-[98ch] gap-0.5 text-[12px]">
          {examples.map(({ number, reasons }) => (
            <li key={number} className="break-words text-(--text-2)">
              <span className="text-(--in-failed)">Line {number}:</span> {reasons.join("; ")}
            </li>
          ))}
          {one.outcome.rejected > examples.length && (
            <li className="text-(--text-3)">
              {!one.hasRejects
                ? "These are the first and the last of them."
                : leftOut > 0
                  ? `The rejected rows to download are the first ${formatCount(one.outcome.rejected - leftOut)}, with their reasons: they fill the file. ${formatCount(leftOut)} further ones are not in it.`
                  : "All of them, with their reasons, are in the rejected rows."}
            </li>
          )}
        </ul>
      )}
      {ignored && ignored.length > 0 && (
        <p className="mt-2 text-[12px] text-(--text-3)">
          Not taken over, as this log writes its own: {ignored.join(", ")}
        </p>
      )}
      <div className="mt-2 flex items-center gap-x-1.5 text-[12px] text-(--text-3)">
        <p className="min-w-0">
          SHA-256 of the file{" "}
          <code className="font-mono break-all text-(--text-2)">{one.sha256}</code>
        </p>
        <CopyButton text={one.sha256} label="Copy the SHA-256" className="!h-5 max-sm:!h-11" />
      </div>
    </>
  );
}

function Actions({ organizationId, one, isBusy, onAsk }: Props) {
  const here = `/o/${organizationId}/import/${one.id}`;
  return (
    <div className="flex flex-wrap gap-2">
      {one.state === "uploaded" && <ButtonLink href={here}>Set up</ButtonLink>}
      {one.hasRejects && (
        <a href={`${here}/rejects`} download className={buttonClasses({})}>
          Download rejected rows
        </a>
      )}
      {isUnderWay(one) ? (
        <Button disabled={isBusy || one.isCancelling} onClick={() => onAsk("cancel", one)}>
          {one.isCancelling ? "Cancelling…" : "Cancel"}
        </Button>
      ) : (
        <Button disabled={isBusy} onClick={() => onAsk("remove", one)}>
          {one.state === "uploaded" ? "Discard" : "Remove"}
        </Button>
      )}
    </div>
  );
}

function HowFar({ one, paces }: { one: Import; paces: Paces | undefined }) {
  const { state, readBytes, bytes, error } = one;
  const isRunning = state === "running";
  return (
    <div>
      {isRunning && (
        <Progress
          label={`Progress of ${one.fileName}`}
          value={Math.min(readBytes, bytes)}
          max={bytes}
        />
      )}
      <p className="mt-1.5 flex flex-wrap gap-x-4 text-[12px] text-(--text-2)">
        {isRunning ? (
          progressWords(one, paces).map((part) => <span key={part}>{part}</span>)
        ) : (
          <span>{error ? "Waiting for another try." : "Waiting for the worker."}</span>
        )}
      </p>
      {error && <p className="mt-1 text-[12px] text-(--in-fetch)">Last problem: {error}</p>}
    </div>
  );
}
