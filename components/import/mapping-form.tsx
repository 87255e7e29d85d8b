import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { TextField } from "@/components/streams/field";
import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import { type Draft, type DraftParticipant, newId } from "./draft";
import { Entries } from "./entries";
import { RowIdField } from "./row-id-field";
import { TimeField } from "./time-field";
import { type Columns, ValueField } from "./value-field";

interface Props {
  draft: Draft;
  columns: Columns;
  /** What the server says of a field, by its path in the mapping. */
  errors: Record<string, string>;
  onChange(draft: Draft): void;
}

/** How the columns of another system become fields of events. */
export function MappingForm({ draft, columns, errors, onChange }: Props) {
  const set = <K extends keyof Draft>(key: K, value: Draft[K]) =>
    onChange({ ...draft, [key]: value });
  const setTarget = (id: number, target: DraftParticipant) =>
    set(
      "targets",
      draft.targets.map((one) => (one.id === id ? target : one)),
    );
  return (
    <div className="grid gap-6">
      <Group title="What happened, and when">
        <ValueField
          label="Action"
          value={draft.action}
          columns={columns}
          error={errors.action}
          onChange={(action) => set("action", action)}
        />
        <TimeField
          time={draft.time}
          columns={columns}
          errors={{
            column: errors["occurred_at.column"],
            format: errors["occurred_at.format"],
            zone: errors["occurred_at.zone"],
          }}
          onChange={(time) => set("time", time)}
        />
      </Group>
      <Group title="Who did it">
        <Participant
          of="Actor"
          path="actor"
          value={draft.actor}
          columns={columns}
          errors={errors}
          onChange={(actor) => set("actor", actor)}
        />
      </Group>
      <Group title="To what">
        {draft.targets.map((target, at) => (
          <div
            key={target.id}
            className="grid gap-3 border-b border-(--border) pb-3 last-of-type:border-b-0"
          >
            <Participant
              of={draft.targets.length > 1 ? `Target ${at + 1}` : "Target"}
              path={`targets.${at}`}
              value={target}
              columns={columns}
              errors={errors}
              onChange={(next) => setTarget(target.id, next)}
            />
            <Button
              variant="quiet"
              className="justify-self-start"
              onClick={() =>
                set(
                  "targets",
                  draft.targets.filter(({ id }) => id !== target.id),
                )
              }
            >
              Remove {draft.targets.length > 1 ? `target ${at + 1}` : "target"}
            </Button>
          </div>
        ))}
        {draft.targets.length === 0 && (
          <p className="text-[12px] text-(--text-3)">Events have no target.</p>
        )}
        <Button
          variant="quiet"
          className="justify-self-start"
          onClick={() => set("targets", [...draft.targets, newTarget(columns)])}
        >
          <Plus size={14} aria-hidden="true" /> Add a target
        </Button>
      </Group>
      <Group title="From where">
        <Pair>
          <ValueField
            label="Location"
            none="Not set"
            value={draft.location}
            columns={columns}
            error={errors["context.location"]}
            onChange={(location) => set("location", location)}
          />
          <ValueField
            label="User agent"
            none="Not set"
            value={draft.userAgent}
            columns={columns}
            error={errors["context.user_agent"]}
            onChange={(userAgent) => set("userAgent", userAgent)}
          />
        </Pair>
      </Group>
      <Group title="Everything else">
        <Field label="Other columns">
          {(control) => (
            <Select
              {...control}
              value={draft.others}
              onChange={({ target }) => set("others", target.value as Draft["others"])}
            >
              <option value="metadata">Keep in metadata, under their own names</option>
              <option value="ignore">Leave out</option>
            </Select>
          )}
        </Field>
        <Entries
          of="metadata"
          entries={draft.metadata}
          columns={columns}
          onChange={(metadata) => set("metadata", metadata)}
        />
        <ValueField
          label="Version of the action"
          none="1"
          value={draft.version}
          columns={columns}
          error={errors.version}
          onChange={(version) => set("version", version)}
        />
      </Group>
      <Group title="So that nothing is stored twice">
        <RowIdField
          rowId={draft.rowId}
          columns={columns}
          onChange={(rowId) => set("rowId", rowId)}
        />
        <TextField
          label="Name of the source"
          hint="The system the rows are from. Rows of two sources never meet, even with equal ids."
          value={draft.source}
          error={errors.source ?? ""}
          onChange={(event) => set("source", event.target.value)}
        />
      </Group>
    </div>
  );
}

const newTarget = (columns: Columns): DraftParticipant => ({
  id: newId(),
  type: { constant: "resource" },
  of: { column: columns[0]?.name ?? "" },
  name: undefined,
  metadata: [],
});

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="grid min-w-0 gap-3">
      <h2 className="border-b border-(--border) pb-1 font-semibold">{title}</h2>
      {children}
    </section>
  );
}

const Pair = ({ children }: { children: ReactNode }) => (
  <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">{children}</div>
);

/** Who or what an event names; its metadata only where there is some, or somebody wants it. */
function Participant(props: {
  of: string;
  path: string;
  value: DraftParticipant;
  columns: Columns;
  errors: Record<string, string>;
  onChange(value: DraftParticipant): void;
}) {
  const { of, path, value, columns, errors } = props;
  const change = (changes: Partial<DraftParticipant>) => props.onChange({ ...value, ...changes });
  return (
    <>
      <Pair>
        <ValueField
          label={`${of} id`}
          value={value.of}
          columns={columns}
          error={errors[`${path}.id`]}
          onChange={(id) => change({ of: id })}
        />
        <ValueField
          label={`${of} name`}
          none="Not set"
          value={value.name}
          columns={columns}
          error={errors[`${path}.name`]}
          onChange={(name) => change({ name })}
        />
        <ValueField
          label={`${of} type`}
          value={value.type}
          columns={columns}
          error={errors[`${path}.type`]}
          onChange={(type) => change({ type })}
        />
      </Pair>
      <Entries
        of={`metadata of the ${of.toLowerCase()}`}
        entries={value.metadata}
        columns={columns}
        onChange={(metadata) => change({ metadata })}
      />
    </>
  );
}
