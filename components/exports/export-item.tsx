"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { describeClause } from "@/components/events/describe-clause";
import { Command } from "@/components/integrity/check-elsewhere";
import { formatMoment, formatSeq } from "@/components/integrity/words";
import { Button, buttonClasses } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Progress } from "@/components/ui/progress";
import { parseFilter } from "@/lib/events/filter/parse";
import { serializeClause } from "@/lib/events/filter/serialize";
import { isUnderWay, type ListedExport, searchQuery } from "./listed";
import type { Pace } from "./pace";
import { ExportStateMark } from "./state-mark";
import {
  columnWords,
  countEvents,
  FORMATS,
  formatBytes,
  progressWords,
  rangeWords,
  verifyCommand,
} from "./words";

export interface ItemWork {
  isBusy: boolean;
  ask(kind: "cancel" | "revokeLinks" | "remove", one: ListedExport): void;
  cancel(one: ListedExport): void;
  resume(one: ListedExport): void;
  /** The same request as a new export. */
  again(one: ListedExport): void;
}

interface Props {
  organizationId: string;
  one: ListedExport;
  pace: Pace | undefined;
  vkeys: readonly string[];
  work: ItemWork;
}

/** One export: its state, what it was asked to hold, and what can be done with it now. */
export function ExportItem(props: Props) {
  const { one } = props;
  return (
    <li
      id={one.id}
      tabIndex={-1}
      data-testid="export"
      data-state={one.state}
      aria-label={`${FORMATS[one.format].label} export of ${formatMoment(one.createdAt)}`}
      className="border-b border-(--border) py-4"
    >
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <div className="flex flex-wrap items-center gap-x-2.5">
            <ExportStateMark state={one.state} />
            <h2 className="font-medium">{FORMATS[one.format].label}</h2>
            <Result one={one} />
          </div>
          <Asked organizationId={props.organizationId} one={one} />
        </div>
        <Actions {...props} />
      </div>
      {isUnderWay(one) && <HowFar one={one} pace={props.pace} />}
      {one.state === "failed" && <Failure one={one} />}
      {one.state === "ready" && <Ready one={one} vkeys={props.vkeys} />}
    </li>
  );
}

function Result({ one }: { one: ListedExport }) {
  if (one.state !== "ready" && one.state !== "expired") return null;
  return (
    <span className="text-(--text-2)">
      {countEvents(one.events)}, {formatBytes(one.bytes)}
    </span>
  );
}

/** Filter, times, columns; by whom and when. */
function Asked({ organizationId, one }: { organizationId: string; one: ListedExport }) {
  const { format, options, search, q } = one;
  const isBundle = format === "bundle";
  const query = searchQuery(q, search.range_start, search.range_end);
  return (
    <div className="mt-1 grid gap-1 text-[12px] text-(--text-2)">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Filter q={q} />
        {!isBundle && <span>{rangeWords(search.range_start, search.range_end)}</span>}
        {format === "csv" && <span>{columnWords(options.columns)}</span>}
        {options.raw && <span>Raw cells</span>}
        {options.proof && <span>With proof of completeness</span>}
        {!isBundle && (
          <Link
            href={`/o/${organizationId}/events?${query || "view=none"}`}
            className="underline underline-offset-2 hover:text-(--text) max-sm:-my-3 max-sm:py-3"
          >
            Show in explorer
          </Link>
        )}
      </p>
      <p className="text-(--text-3)">
        Asked for by {one.createdBy}, {formatMoment(one.createdAt)}
      </p>
    </div>
  );
}

const CHIP =
  "inline-flex max-w-full gap-1 rounded-[3px] border border-(--border-strong) bg-(--sunken) px-1 font-mono";

function Filter({ q }: { q: string }) {
  const parsed = parseFilter(q);
  if (!parsed.ok) return <code className={CHIP}>{q}</code>;
  const { clauses } = parsed.filter;
  if (clauses.length === 0) return <span>All events</span>;
  return clauses.map((clause) => {
    const { field, operator, value } = describeClause(clause);
    return (
      <span key={serializeClause(clause)} className={CHIP}>
        <span className="break-all">
          {field} <span className="font-sans">{operator}</span> {value}
        </span>
      </span>
    );
  });
}

function Actions({ organizationId, one, work }: Props) {
  const file = `/o/${organizationId}/exports/${one.id}`;
  return (
    <div className="flex flex-wrap gap-2">
      {isUnderWay(one) && (
        <Button
          disabled={work.isBusy}
          onClick={() => (one.state === "queued" ? work.cancel(one) : work.ask("cancel", one))}
        >
          Cancel
        </Button>
      )}
      {one.state === "ready" && (
        <>
          <a href={`${file}/file`} download className={buttonClasses({})}>
            Download
          </a>
          {one.hasManifest && (
            <a href={`${file}/manifest`} download className={buttonClasses({})}>
              Manifest
            </a>
          )}
          <Button variant="quiet" onClick={() => work.ask("revokeLinks", one)}>
            Revoke links
          </Button>
          <Button variant="danger" onClick={() => work.ask("remove", one)}>
            Delete file
          </Button>
        </>
      )}
      {one.canResume && (
        <>
          <Button disabled={work.isBusy} onClick={() => work.resume(one)}>
            Resume
          </Button>
          <Button variant="danger" onClick={() => work.ask("remove", one)}>
            Delete file
          </Button>
        </>
      )}
      {["failed", "cancelled", "expired"].includes(one.state) && !one.canResume && (
        <Button disabled={work.isBusy} onClick={() => work.again(one)}>
          {one.state === "failed" ? "Try again" : "Make again"}
        </Button>
      )}
    </div>
  );
}

function HowFar({ one, pace }: { one: ListedExport; pace: Pace | undefined }) {
  const { state, total, events, error } = one;
  const isRunning = state === "running";
  const isKnown = total !== null && total > 0;
  return (
    <div>
      {isRunning && (
        <Progress
          label="Progress of the export"
          max={isKnown ? total : undefined}
          value={isKnown ? Math.min(events, total) : undefined}
        />
      )}
      <p className="mt-1.5 flex flex-wrap gap-x-4 text-[12px] text-(--text-2)">
        {isRunning ? (
          progressWords(one, pace).map((part) => <span key={part}>{part}</span>)
        ) : (
          <span>
            {error ? "Waiting for another try." : "Waiting for the worker."}
            {events > 0 && ` ${countEvents(events)} are written.`}
          </span>
        )}
      </p>
      {error && <p className="mt-1 text-[12px] text-(--in-fetch)">Last problem: {error}</p>}
    </div>
  );
}

function Failure({ one }: { one: ListedExport }) {
  return (
    <p className="mt-2 max-w-[98ch] text-(--in-failed)">
      {one.error ?? "The cause is not known."}
      <span className="block text-(--text-2)">
        {one.canResume
          ? `${countEvents(one.events)} are written and kept${one.expiresAt ? ` until ${formatMoment(one.expiresAt)}` : ""}: Resume goes on behind them.`
          : "Nothing of the file is kept."}
      </span>
    </p>
  );
}

function Ready({ one, vkeys }: { one: ListedExport; vkeys: readonly string[] }) {
  const { sha256, expiresAt, firstSeq, endSeq, hasManifest, manifestError } = one;
  return (
    <>
      <dl className="mt-2 grid grid-cols-[96px_minmax(0,1fr)] gap-x-3 gap-y-1 text-[12px]">
        {sha256 && (
          <Fact name="SHA-256">
            <span className="flex items-center gap-1">
              <code className="min-w-0 font-mono break-all">{sha256}</code>
              <CopyButton text={sha256} label="Copy the SHA-256" className="!h-5 max-sm:!h-11" />
            </span>
          </Fact>
        )}
        {expiresAt && <Fact name="Kept until">{formatMoment(expiresAt)}</Fact>}
        {firstSeq !== null && endSeq !== null && endSeq > firstSeq && (
          <Fact name="Taken from">
            {formatSeq(firstSeq)} to {formatSeq(endSeq - 1)} of the log
          </Fact>
        )}
        {!hasManifest && (
          <Fact name="No manifest">
            <span className="text-(--in-fetch)">
              The file is whole, but its manifest was not signed:{" "}
              {manifestError ?? "it is older than manifests."}
            </span>
          </Fact>
        )}
      </dl>
      {(hasManifest || one.format === "bundle") && (
        <details className="mt-1.5 text-[12px] text-(--text-2)">
          <summary className="w-fit cursor-pointer select-none max-sm:py-3">How to verify</summary>
          <p className="mt-1 max-w-[98ch]">
            {one.format === "bundle"
              ? "Whoever has the log's key checks the file without this server:"
              : "Whoever has the log's key checks the file without this server, its manifest beside it:"}
          </p>
          <Command label="the check of the file" text={verifyCommand(one, vkeys)} />
          <p className="mt-1 max-w-[98ch]">
            Hand the key over by another way than the file: it tells a true file from a false one.
          </p>
        </details>
      )}
    </>
  );
}

function Fact(props: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="leading-5 text-(--text-3)">{props.name}</dt>
      <dd className="min-w-0 leading-5">{props.children}</dd>
    </>
  );
}
