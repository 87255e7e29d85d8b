import type { Mapping } from "./mapping";

/** Header names of well-known systems and plain words, most telling first; compared without case and signs. */
const NAMES = {
  row_id: ["uuid", "eventid", "documentid", "id"],
  action: ["action", "eventtype", "eventname", "event", "operation", "activity"],
  occurred_at: [
    "occurredat",
    "timestamp",
    "eventtime",
    "createdat",
    "published",
    "time",
    "date",
    "datetime",
  ],
  actor_id: [
    "actorid",
    "actor",
    "useridentityarn",
    "userid",
    "useridentityprincipalid",
    "user",
    "username",
    "email",
    "useremail",
  ],
  actor_name: [
    "actorname",
    "actordisplayname",
    "actoralternateid",
    "useridentityusername",
    "username",
  ],
  actor_type: ["actortype", "useridentitytype", "usertype"],
  target_id: [
    "targetid",
    "target0id",
    "target",
    "resourceid",
    "resource",
    "objectid",
    "repo",
    "object",
  ],
  target_type: ["targettype", "target0type", "resourcetype", "objecttype"],
  target_name: ["targetname", "target0displayname", "resourcename", "objectname"],
  location: [
    "location",
    "ip",
    "ipaddress",
    "actorip",
    "clientip",
    "clientipaddress",
    "sourceipaddress",
    "remoteaddress",
  ],
  user_agent: ["useragent", "clientuseragentrawuseragent", "browser"],
} as const;

const plain = (column: string) => column.toLowerCase().replace(/[^a-z0-9]/g, "");

/**
 * A mapping to begin with, made from the names of the columns and one row, for a source named after the file. A time without zone gets none:
 * whoever knows the file names it.
 * @returns the proposal, and what has to be looked at before it can be used.
 */
export function proposeMapping(
  header: readonly string[],
  sample: readonly (string | null)[],
  source: string,
): { mapping: Mapping; notes: string[] } {
  const find = (field: keyof typeof NAMES) => {
    for (const wanted of NAMES[field]) {
      const found = header.find((column) => plain(column) === wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const notes: string[] = [];
  const must = (field: keyof typeof NAMES, words: string) => {
    const found = find(field);
    if (found === undefined) notes.push(`No column looks like ${words}: name it under ${words}.`);
    return found ?? (header[0] as string);
  };
  const optional = (field: keyof typeof NAMES) => {
    const column = find(field);
    return column === undefined ? undefined : { column };
  };
  const time = must("occurred_at", "occurred_at");
  const actorId = must("actor_id", "actor.id");
  const actorName = optional("actor_name");
  const targetId = find("target_id");
  const rowId = find("row_id");
  const location = optional("location");
  const userAgent = optional("user_agent");
  const format = formatOf(sample[header.indexOf(time)] ?? "");
  if (format === null)
    notes.push(
      `The times in “${time}” are of no known form: give a pattern under occurred_at.format.`,
    );
  if (rowId === undefined)
    notes.push(
      "No column looks like an id: rows with the same content count as one. Name columns under row_id if there are any.",
    );
  const targetName = optional("target_name");
  return {
    notes,
    mapping: {
      mapping_version: 1,
      source,
      row_id: rowId === undefined ? [] : [rowId],
      action: { column: must("action", "action") },
      occurred_at: { column: time, format: format ?? "iso" },
      actor: {
        type: optional("actor_type") ?? { constant: "user" },
        id: { column: actorId },
        ...(actorName && actorName.column !== actorId ? { name: actorName } : {}),
      },
      targets:
        targetId === undefined
          ? []
          : [
              {
                type: optional("target_type") ?? { constant: "resource" },
                id: { column: targetId },
                ...(targetName ? { name: targetName } : {}),
              },
            ],
      ...(location || userAgent
        ? {
            context: {
              ...(location ? { location } : {}),
              ...(userAgent ? { user_agent: userAgent } : {}),
            },
          }
        : {}),
      metadata: {},
      other_columns: "metadata",
    },
  };
}

function formatOf(text: string): string | null {
  if (/^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}/.test(text)) return "iso";
  // Before 2001 in milliseconds is after the year 33,000 in seconds.
  if (/^\d{12,14}(\.\d+)?$/.test(text)) return "epoch_ms";
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return "epoch_s";
  return null;
}
