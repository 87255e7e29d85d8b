"use client";

import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input } from "@/components/ui/field";
import type { SavedView } from "@/lib/views/view";

interface Props {
  kind: "create" | "edit" | "delete";
  /** What is edited or deleted. */
  view: SavedView | null;
  /** Both answer what to say when it failed. */
  onSave(input: { name: string; isShared: boolean }): Promise<string | null>;
  onDelete(): Promise<string | null>;
  onClose(): void;
}

const TITLES = { create: "Save as new view", edit: "Rename or share", delete: "Delete this view?" };

/** Names and shares a view, or asks before it is deleted. */
export function ViewDialog(props: Props) {
  const { kind, view } = props;
  const [name, setName] = useState(view?.name ?? "");
  const [isShared, setShared] = useState(view?.isShared ?? false);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const failure = await (kind === "delete" ? props.onDelete() : props.onSave({ name, isShared }));
    setBusy(false);
    setProblem(failure);
    if (!failure) props.onClose();
  };

  return (
    <Dialog
      open
      onOpenChange={props.onClose}
      title={TITLES[kind]}
      description={
        kind === "delete"
          ? `“${view?.name}” goes away${view?.isShared ? " for everybody in the organization" : ""}. Links to it still carry its search.`
          : kind === "create"
            ? "Keeps the filter, the time and the columns as they are now."
            : undefined
      }
    >
      <form onSubmit={submit} className="grid gap-4">
        {kind === "delete" ? (
          problem && (
            <p role="alert" className="text-(--in-failed)">
              {problem}
            </p>
          )
        ) : (
          <>
            <Field label="Name" error={problem}>
              {(control) => (
                <Input
                  {...control}
                  value={name}
                  onChange={(event) => setName(event.target.value)}
                  maxLength={80}
                  required
                  autoComplete="off"
                />
              )}
            </Field>
            <label className="flex items-center gap-2 max-sm:min-h-11">
              <input
                type="checkbox"
                checked={isShared}
                onChange={(event) => setShared(event.target.checked)}
                className="size-4 accent-(--ink)"
              />
              Everybody in the organization may open it
            </label>
          </>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={props.onClose}>{kind === "delete" ? "Keep" : "Cancel"}</Button>
          <Button
            type="submit"
            variant={kind === "delete" ? "danger" : "primary"}
            disabled={isBusy}
          >
            {kind === "delete" ? "Delete" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
