"use client";

import { useState } from "react";
import { useWork } from "@/components/streams/use-work";
import { Button } from "@/components/ui/button";
import { ButtonLink } from "@/components/ui/button-link";
import { Dialog } from "@/components/ui/dialog";
import type { Import } from "@/lib/import/schema";
import { ImportItem } from "./import-item";
import { type ImportActions, type ImportList, isUnderWay } from "./listed";
import { Upload } from "./upload";
import { useImports } from "./use-imports";

/** What cannot be taken back is asked about. */
const QUESTIONS = {
  cancel: {
    title: "Cancel this import?",
    description:
      "What was imported so far stays in the log. The uploaded file is deleted; importing it again goes on from there.",
    keep: "Keep going",
    confirm: "Cancel import",
  },
  discard: {
    title: "Discard this file?",
    description: "The uploaded file is deleted. Nothing of it was imported.",
    keep: "Keep file",
    confirm: "Discard file",
  },
  remove: {
    title: "Remove this import from the list?",
    description:
      "Its rejected rows are deleted with it. Events that it imported stay, and the log goes on telling of it.",
    keep: "Keep it",
    confirm: "Remove import",
  },
} as const;

interface Props {
  organizationId: string;
  list: ImportList;
  /** The import that this page of the list begins behind; null: it begins at the newest. */
  before: string | null;
  maxBytes: number;
  actions: ImportActions;
}

/** A place for a new file, and every import with how far it is. */
export function Imports(props: Props) {
  const { organizationId, before, actions } = props;
  const { list, paces, news, problem, refresh } = useImports(
    organizationId,
    props.list,
    before,
    actions.read,
  );
  const [asked, setAsked] = useState<{ kind: "cancel" | "remove"; one: Import } | null>(null);
  const here = `/o/${organizationId}/import`;
  const { imports } = list;
  const last = imports.at(-1);
  return (
    <>
      <div className="mb-5">
        <h1 className="text-[16px] leading-6 font-semibold tracking-[-0.012em]">
          {sentence(imports, before !== null)}
        </h1>
        <p className="max-w-[98ch] text-(--text-2)">
          History from another audit log, or from a file of this one, sealed into the log. Import a
          file as often as you like: nothing is stored twice. Imports go on when you leave this
          page.
        </p>
      </div>
      {before === null && <Upload organizationId={organizationId} maxBytes={props.maxBytes} />}
      {problem && (
        <p role="alert" className="mb-3 text-(--in-fetch)">
          {problem} What you see may be out of date.
        </p>
      )}
      <p role="status" className="sr-only">
        {news}
      </p>
      <ul aria-label="Imports" className="border-t border-(--border) empty:hidden">
        {imports.map((one) => (
          <ImportItem
            key={one.id}
            organizationId={organizationId}
            one={one}
            paces={paces.get(one.id)}
            isBusy={asked !== null}
            onAsk={(kind, of) => setAsked({ kind, one: of })}
          />
        ))}
      </ul>
      <div className="mt-4 flex gap-2 empty:hidden">
        {before !== null && <ButtonLink href={here}>Newest</ButtonLink>}
        {list.hasOlder && last && <ButtonLink href={`${here}?before=${last.id}`}>Older</ButtonLink>}
      </div>
      {asked && (
        <Question
          {...asked}
          organizationId={organizationId}
          actions={actions}
          onDone={() => {
            setAsked(null);
            void refresh();
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function Question(props: {
  kind: "cancel" | "remove";
  one: Import;
  organizationId: string;
  actions: ImportActions;
  onDone(): void;
  onClose(): void;
}) {
  const { kind, one, organizationId, actions } = props;
  const work = useWork();
  const isDiscard = kind === "remove" && one.state === "uploaded";
  const { title, description, keep, confirm } = QUESTIONS[isDiscard ? "discard" : kind];
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
          onClick={() => work.run(() => actions[kind](organizationId, one.id), props.onDone)}
        >
          {confirm}
        </Button>
      </div>
    </Dialog>
  );
}

function sentence(imports: readonly Import[], isOlder: boolean): string {
  if (isOlder) return "Earlier imports";
  if (imports.length === 0) return "No imports yet";
  const underWay = imports.filter(isUnderWay).length;
  if (underWay > 0)
    return underWay === 1 ? "One import under way" : `${underWay} imports under way`;
  const waiting = imports.filter(({ state }) => state === "uploaded").length;
  if (waiting > 0) return `${waiting === 1 ? "One file" : `${waiting} files`} to set up`;
  return "Nothing under way";
}
