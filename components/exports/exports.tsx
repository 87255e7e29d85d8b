"use client";

import { Plus } from "lucide-react";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { useWork } from "@/components/streams/use-work";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { Dialog } from "@/components/ui/dialog";
import type { ActionResult } from "@/lib/http/action-result";
import { awaitExport } from "./awaited";
import { ExportItem, type ItemWork } from "./export-item";
import {
  type ExportActions,
  type ExportDraft,
  type ExportList,
  isUnderWay,
  type ListedExport,
  searchQuery,
} from "./listed";
import { NewExport } from "./new-export";
import { useExports } from "./use-exports";

/** What cannot be taken back is asked about. */
const QUESTIONS = {
  cancel: {
    title: "Cancel this export?",
    description: "What was written of its file so far is deleted.",
    keep: "Keep going",
    confirm: "Cancel export",
  },
  revokeLinks: {
    title: "Revoke links to this export?",
    description:
      "Links that the API gave out for its file and manifest stop working now. New ones can be asked for, and this page goes on offering the file.",
    keep: "Keep links",
    confirm: "Revoke links",
  },
  remove: {
    title: "Delete the file of this export?",
    description:
      "The file and its manifest are deleted now and for good; what it held stays in this list for 90 days.",
    keep: "Keep file",
    confirm: "Delete file",
  },
} as const;

interface Asked {
  kind: keyof typeof QUESTIONS;
  one: ListedExport;
}

interface Props {
  organizationId: string;
  list: ExportList;
  /** The export that the list begins behind; null: at the newest. */
  before: string | null;
  /** Of the log, the present one first. */
  vkeys: string[];
  /** null: nobody is about to make one. */
  draft: ExportDraft | null;
  actions: ExportActions;
}

/** Every export with how far it is, and the form for a new one. */
export function Exports(props: Props) {
  const { organizationId, actions } = props;
  const router = useRouter();
  const { list, paces, news, problem, put } = useExports(
    organizationId,
    props.list,
    props.before,
    actions.read,
  );
  const work = useWork();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [changed, setChanged] = useState<ListedExport | null>(null);
  const here = `/o/${organizationId}/exports`;
  const { exports } = list;

  // The button that changed it may be gone: the focus stays with the export.
  useEffect(() => {
    if (changed && !asked) document.getElementById(changed.id)?.focus({ preventScroll: true });
  }, [changed, asked]);

  const take = (one: ListedExport) => {
    put(one);
    setChanged(one);
    setAsked(null);
  };
  const made = (one: ListedExport) => {
    awaitExport(organizationId, one.id);
    take(one);
  };
  const itemWork: ItemWork = {
    isBusy: work.isBusy,
    ask: (kind, one) => setAsked({ kind, one }),
    cancel: (one) => work.run(() => actions.cancel(organizationId, one.id), take),
    resume: (one) => work.run(() => actions.resume(organizationId, one.id), made),
    again: ({ format, options, q, search }) =>
      work.run(
        () =>
          actions.create(organizationId, {
            format,
            options,
            query: searchQuery(q, search.range_start, search.range_end),
          }),
        made,
      ),
  };
  return (
    <>
      <div className="mb-5 flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <h1 className="text-[16px] leading-6 font-semibold tracking-[-0.012em]">
            {props.before === null ? sentence(exports) : "Earlier exports"}
          </h1>
          <p className="max-w-[98ch] text-(--text-2)">
            Any number of events as a file, with a signed manifest that says what it holds. Exports
            go on when you leave this page; files are kept for seven days.
          </p>
        </div>
        {!props.draft && (
          <ButtonLink variant="primary" href={`${here}?new=1`}>
            <Plus aria-hidden="true" size={14} />
            New export
          </ButtonLink>
        )}
      </div>
      {props.draft && (
        <NewExport
          key={JSON.stringify(props.draft)}
          organizationId={organizationId}
          draft={props.draft}
          create={actions.create}
          onCreated={(one) => {
            made(one);
            router.replace(here);
          }}
        />
      )}
      {(problem ?? work.problem) && (
        <p role="alert" className="mb-3 text-(--in-fetch)">
          {problem ? `${problem} What you see may be out of date.` : work.problem}
        </p>
      )}
      <p role="status" className="sr-only">
        {news}
      </p>
      <ul aria-label="Exports" className="border-t border-(--border) empty:hidden">
        {exports.map((one) => (
          <ExportItem
            key={one.id}
            organizationId={organizationId}
            one={one}
            pace={paces.get(one.id)}
            vkeys={props.vkeys}
            work={itemWork}
          />
        ))}
      </ul>
      <div className="mt-4 flex gap-2 empty:hidden">
        {props.before !== null && <ButtonLink href={here}>Newest</ButtonLink>}
        {list.hasOlder && (
          <ButtonLink href={`${here}?before=${exports.at(-1)?.id}`}>Older</ButtonLink>
        )}
      </div>
      {asked && (
        <Question
          {...asked}
          run={() => actions[asked.kind](organizationId, asked.one.id)}
          onDone={take}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function Question(
  props: Asked & {
    run(): Promise<ActionResult<ListedExport>>;
    onDone(one: ListedExport): void;
    onClose(): void;
  },
) {
  const work = useWork();
  const { title, description, keep, confirm } = QUESTIONS[props.kind];
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title={title}
      description={description}
    >
      {work.problem && (
        <p role="alert" className="text-(--in-failed)">
          {work.problem}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={props.onClose}>{keep}</Button>
        <Button
          variant="danger"
          disabled={work.isBusy}
          onClick={() => work.run(props.run, props.onDone)}
        >
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}

function sentence(exports: readonly ListedExport[]): string {
  if (exports.length === 0) return "No exports yet";
  const underWay = exports.filter(isUnderWay).length;
  const ready = exports.filter(({ state }) => state === "ready").length;
  const words = [
    underWay > 0 && `${underWay} in the making`,
    `${ready === 0 ? "no file" : ready === 1 ? "one file" : `${ready} files`} to download`,
  ].filter((part) => part !== false);
  const text = words.join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
