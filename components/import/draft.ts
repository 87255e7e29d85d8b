import type { Mapping } from "@/lib/import/mapping";

/** A mapping as its form holds it: what the document keys by name is a list here, whose names may be in the making. */

export type Value = Mapping["action"];
type Participant = Mapping["actor"];

export interface Entry {
  /** Tells entries apart while they are edited. */
  id: number;
  key: string;
  value: Value;
}

export interface DraftParticipant {
  id: number;
  type: Value;
  of: Value;
  name: Value | undefined;
  metadata: Entry[];
}

export interface Draft {
  source: string;
  rowId: string[];
  action: Value;
  version: Value | undefined;
  time: Mapping["occurred_at"];
  actor: DraftParticipant;
  targets: DraftParticipant[];
  location: Value | undefined;
  userAgent: Value | undefined;
  metadata: Entry[];
  others: Mapping["other_columns"];
}

let nextId = 0;
export const newId = () => ++nextId;

const toEntries = (values: Record<string, Value> = {}): Entry[] =>
  Object.entries(values).map(([key, value]) => ({ id: newId(), key, value }));

const toParticipant = ({ type, id, name, metadata }: Participant): DraftParticipant => ({
  id: newId(),
  type,
  of: id,
  name,
  metadata: toEntries(metadata),
});

export function toDraft(mapping: Mapping): Draft {
  return {
    source: mapping.source,
    rowId: mapping.row_id,
    action: mapping.action,
    version: mapping.version,
    time: mapping.occurred_at,
    actor: toParticipant(mapping.actor),
    targets: mapping.targets.map(toParticipant),
    location: mapping.context?.location,
    userAgent: mapping.context?.user_agent,
    metadata: toEntries(mapping.metadata),
    others: mapping.other_columns,
  };
}

const fromEntries = (entries: readonly Entry[]) =>
  Object.fromEntries(entries.map(({ key, value }) => [key.trim(), value]));

function fromParticipant({ type, of, name, metadata }: DraftParticipant): Participant {
  return {
    type,
    id: of,
    ...(name ? { name } : {}),
    ...(metadata.length > 0 ? { metadata: fromEntries(metadata) } : {}),
  };
}

export function toMapping(draft: Draft): Mapping {
  const { version, location, userAgent } = draft;
  const context = {
    ...(location ? { location } : {}),
    ...(userAgent ? { user_agent: userAgent } : {}),
  };
  return {
    mapping_version: 1,
    source: draft.source.trim(),
    row_id: draft.rowId,
    action: draft.action,
    ...(version ? { version } : {}),
    occurred_at: draft.time,
    actor: fromParticipant(draft.actor),
    targets: draft.targets.map(fromParticipant),
    ...(Object.keys(context).length > 0 ? { context } : {}),
    metadata: fromEntries(draft.metadata),
    other_columns: draft.others,
  };
}

/** What no mapping can say: two entries of one name, or one without. */
export function draftProblem(draft: Draft): string | null {
  const lists: [string, Entry[]][] = [
    ["Metadata", draft.metadata],
    ["Metadata of the actor", draft.actor.metadata],
    ...draft.targets.map((target, at): [string, Entry[]] => [
      `Metadata of target ${at + 1}`,
      target.metadata,
    ]),
  ];
  for (const [where, entries] of lists) {
    const keys = entries.map(({ key }) => key.trim());
    if (keys.includes("")) return `${where}: give each entry a name.`;
    const twice = keys.find((key, at) => keys.indexOf(key) !== at);
    if (twice !== undefined) return `${where}: “${twice}” is there twice.`;
  }
  return null;
}
