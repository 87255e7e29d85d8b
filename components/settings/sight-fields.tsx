import { FilterField } from "@/components/streams/filter-field";
import { type Hideable, hideableLabel, hideables, type StoredSight } from "@/lib/events/sight";

/** A sight as it is being written: its filter may be wrong yet. */
export interface SightDraft {
  filter: string;
  hidden: readonly Hideable[];
}

export const draftOf = ({ filter, hidden }: StoredSight): SightDraft => ({
  filter: filter ?? "",
  hidden: hideables.filter((name) => hidden.includes(name)),
});

/** Which events a viewer sees, and what is hidden in them. */
export function SightFields(props: {
  draft: SightDraft;
  isRefused: boolean;
  onChange(draft: SightDraft): void;
}) {
  const { draft, onChange } = props;
  const toggle = (name: Hideable, isOn: boolean) =>
    onChange({
      ...draft,
      hidden: hideables.filter((each) => (each === name ? isOn : draft.hidden.includes(each))),
    });
  return (
    <>
      <FilterField
        value={draft.filter}
        isRefused={props.isRefused}
        onChange={(filter) => onChange({ ...draft, filter })}
      />
      <fieldset>
        <legend className="font-medium">Hide fields</legend>
        <div className="mt-1 grid grid-cols-2">
          {hideables.map((name) => (
            <label key={name} className="flex min-h-7 items-center gap-2 max-sm:min-h-11">
              <input
                type="checkbox"
                checked={draft.hidden.includes(name)}
                onChange={({ target }) => toggle(name, target.checked)}
                className="accent-(--accent)"
              />
              {hideableLabel(name)}
            </label>
          ))}
        </div>
      </fieldset>
      <p className="text-[12px] text-(--text-2)">
        What is hidden shows as hidden, in files too, and cannot be filtered by. Who sees less than
        everything sees events alone, and none of Trailseal’s own (trailseal.*): no overview,
        integrity, schemas, or views that others share.
      </p>
    </>
  );
}
