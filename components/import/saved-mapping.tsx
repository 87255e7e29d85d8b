import { useState } from "react";
import { useWork } from "@/components/streams/use-work";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import type { Mapping } from "@/lib/import/mapping";
import type { SavedMappings, SetUpActions } from "./listed";

/** Mappings kept by name: one to begin with, this one for the next file. */
export function SavedMapping(props: {
  organizationId: string;
  saved: SavedMappings;
  /** What is in the form now; null while it is no mapping. */
  mapping: Mapping | null;
  actions: Pick<SetUpActions, "saveMapping" | "deleteMapping">;
  onSaved(saved: SavedMappings): void;
  /** @param mapping null: what the columns propose */
  onChoose(mapping: Mapping | null): void;
}) {
  const { organizationId, saved, mapping, actions } = props;
  const work = useWork();
  const [chosen, setChosen] = useState("");
  const [name, setName] = useState("");
  const [done, setDone] = useState("");
  const isThere = saved.some((one) => one.name === name.trim());

  const choose = (next: string) => {
    setChosen(next);
    setName(next);
    setDone("");
    props.onChoose(saved.find((one) => one.name === next)?.mapping ?? null);
  };
  const save = () => {
    if (!mapping) return;
    work.run(
      () => actions.saveMapping(organizationId, name.trim(), mapping),
      (next) => {
        props.onSaved(next);
        setChosen(name.trim());
        setDone(`Saved as ${name.trim()}.`);
      },
    );
  };
  const remove = () =>
    work.run(
      () => actions.deleteMapping(organizationId, chosen),
      (next) => {
        props.onSaved(next);
        setChosen("");
        setDone(`Deleted ${chosen}. What is in the form stays.`);
      },
    );
  return (
    <section aria-label="Saved mappings" className="grid gap-2">
      <div className="grid grid-cols-2 items-end gap-3 max-sm:grid-cols-1">
        <Field label="Begin with">
          {(control) => (
            <div className="flex gap-2">
              <Select {...control} value={chosen} onChange={(event) => choose(event.target.value)}>
                <option value="">What the columns propose</option>
                {saved.length > 0 && (
                  <optgroup label="Saved mappings">
                    {saved.map((one) => (
                      <option key={one.name}>{one.name}</option>
                    ))}
                  </optgroup>
                )}
              </Select>
              {chosen !== "" && (
                <Button variant="danger" disabled={work.isBusy} onClick={remove}>
                  Delete
                </Button>
              )}
            </div>
          )}
        </Field>
        <Field label="Keep this mapping as">
          {(control) => (
            <div className="flex gap-2">
              <Input
                {...control}
                value={name}
                maxLength={80}
                autoComplete="off"
                placeholder="A name"
                onChange={(event) => {
                  setName(event.target.value);
                  setDone("");
                }}
                onKeyDown={(event) => {
                  if (event.key !== "Enter" || name.trim() === "") return;
                  event.preventDefault();
                  save();
                }}
              />
              <Button
                disabled={work.isBusy || mapping === null || name.trim() === ""}
                onClick={save}
                className="sm:h-8"
              >
                {isThere ? "Replace" : "Save"}
              </Button>
            </div>
          )}
        </Field>
      </div>
      <p role="status" className="text-[12px] text-(--text-2) empty:hidden">
        {done}
      </p>
      {work.problem && (
        <p role="alert" className="text-[12px] text-(--in-failed)">
          {[work.problem, ...Object.entries(work.errors).map((pair) => pair.join(" "))].join(" ")}
        </p>
      )}
    </section>
  );
}
