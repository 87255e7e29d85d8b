import { isRefused, type Operation, operationOf, signOf } from "@/lib/events/operation";
import type { StreamEvent } from "../destination";
import { factsOf, filled, type Participant, targetUser } from "./facts";

const TYPES: Record<Operation, string> = {
  created: "creation",
  accessed: "access",
  updated: "change",
  deleted: "deletion",
};

/**
 * Elastic Common Schema 8.17. What stands in metadata is text under `labels`, and what ECS has no field
 * for is under `audit`, nested values as JSON text: the names of fields that an index gets do not depend
 * on what senders nest, and one name never has two types.
 * Source: elastic.co/guide/en/ecs/8.17.
 */
export function ecs(item: StreamEvent): object {
  const { kind, seq, chainHash, previousHash, recordedAt, event } = item;
  const facts = factsOf(item);
  const { actor, targets, ip, location, userAgent, error } = facts;
  const target = targetUser(facts);
  const users = [actor, ...(target ? [target] : [])].flatMap(({ id, name }) => [id, name || id]);
  return {
    "@timestamp": event.occurred_at,
    ecs: { version: "8.17.0" },
    message: facts.message,
    tags: kind === "event" ? undefined : [kind],
    event: {
      kind: "event",
      module: "trailseal",
      dataset: "trailseal.audit",
      id: event.id,
      action: event.action,
      ...categoryOf(event.action),
      outcome: facts.outcome ?? "unknown",
      created: recordedAt,
      sequence: seq ?? undefined,
      hash: chainHash ?? undefined,
    },
    organization: { id: event.organization_id },
    user: { ...userOf(actor), target: target && userOf(target) },
    source: location ? { address: location, ip: ip ?? undefined } : undefined,
    related: { ip: ip ? [ip] : undefined, user: [...new Set(users)] },
    user_agent: userAgent ? { original: userAgent } : undefined,
    error,
    labels: labelsOf(
      { schema_version: String(event.version), prev_hash: previousHash },
      facts.metadata ?? {},
    ),
    audit: {
      actor: participantOf(actor),
      targets: targets.map(participantOf),
      context: textOf(facts.context),
    },
  };
}

const SUBJECT =
  /^(user|member|group|team|role|permission|policy)s?[._]|^iam\.[A-Z][a-z]+(User|Group|Role|Policy)/;
const SUBJECT_TYPES: Record<string, string> = {
  user: "user",
  member: "user",
  group: "group",
  team: "group",
};

/** The categories `authentication`, `iam` and `api` with the types that ECS expects in them. */
function categoryOf(action: string): { category: string[]; type: string[] } {
  const sign = signOf(action);
  if (sign) return { category: ["authentication"], type: [sign === "in" ? "start" : "end"] };
  const operation = operationOf(action);
  const type = operation ? [TYPES[operation]] : ["info"];
  if (isRefused(action)) return { category: ["api"], type: [...type, "denied"] };
  const [, noun, awsNoun] = SUBJECT.exec(action) ?? [];
  const subject = (noun ?? awsNoun)?.toLowerCase();
  if (!subject || !operation || operation === "accessed") return { category: ["api"], type };
  return { category: ["iam"], type: [...type, SUBJECT_TYPES[subject] ?? "admin"] };
}

const userOf = ({ id, name }: Participant) => ({ id, name: name || undefined });

const participantOf = ({ type, id, name, metadata, ...others }: Participant) => ({
  type,
  id,
  name: name || undefined,
  metadata: textOf(metadata),
  others: textOf(filled(others)),
});

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/**
 * Names without dots, which would make objects of them; one that is taken, or ours, gets underscores at its end.
 */
function labelsOf(own: Record<string, string | null>, metadata: object): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) if (value !== null) labels[name] = value;
  for (const [name, value] of Object.entries(metadata)) {
    if (value === null) continue;
    let key = name.trim().replaceAll(".", "_") || "_";
    while (Object.hasOwn(labels, key) || Object.hasOwn(own, key)) key += "_";
    labels[key] = textOf(value);
  }
  return labels;
}
