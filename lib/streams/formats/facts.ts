import { parseAddress } from "@/lib/events/filter/address";
import { type FilterableEvent, matches } from "@/lib/events/filter/match";
import { failureRules } from "@/lib/events/outcome";
import type { StreamEvent } from "../destination";

type Unit = Record<string, unknown>;

export interface Participant extends Unit {
  type: string;
  id: string;
  name?: string;
}

/** What the schemas of security products ask of an event, each in its own names. */
export interface Facts {
  actor: Participant;
  targets: Participant[];
  /** As it was sent; null when absent or empty. */
  location: string | null;
  /** The location when it is an address, in the spelling of RFC 5952. */
  ip: string | null;
  userAgent: string | null;
  /** What the context has beside the two. */
  context: Unit | undefined;
  metadata: Unit | undefined;
  /** Null when the event does not say. */
  outcome: "success" | "failure" | null;
  error: { code?: string; message?: string } | undefined;
  /** One sentence without a full stop: `Mei Tan: invoice.voided on invoice inv_4410 and 1 more`. */
  message: string;
}

export function factsOf({ event }: StreamEvent): Facts {
  const actor = event.actor as Participant;
  const targets = event.targets as Participant[];
  const { location, user_agent: userAgent, ...context } = (event.context ?? {}) as Unit;
  const metadata = (event.metadata ?? {}) as Unit;
  const [first, ...others] = targets;
  const object = first ? ` on ${first.type} ${first.name || first.id}` : "";
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  const error = { code: scalar(metadata.errorCode), message: scalar(metadata.errorMessage) };
  return {
    actor,
    targets,
    location: scalar(location) ?? null,
    ip: parseAddress(String(location))?.toString() ?? null,
    userAgent: scalar(userAgent) ?? null,
    context: filled(context),
    metadata: filled(metadata),
    outcome: outcomeOf(event as FilterableEvent, metadata),
    error: error.code || error.message ? error : undefined,
    message: `${actor.name || actor.id}: ${event.action}${object}${more}`,
  };
}

function outcomeOf(event: FilterableEvent, metadata: Unit): Facts["outcome"] {
  if (failureRules.some(({ filter }) => matches(filter, event))) return "failure";
  const { status, outcome, result, success, denied } = metadata;
  if (success === false || denied === true) return "failure";
  const said = scalar(status ?? outcome ?? result) ?? "";
  if (/^(?:fail(?:ed|ure)?|error|denied|refused|rejected|blocked)$/i.test(said)) return "failure";
  const isDone = success === true || /^(?:success(?:ful)?|succeeded|ok|allowed)$/i.test(said);
  return isDone ? "success" : null;
}

/** Text of a scalar that is not empty. */
function scalar(value: unknown): string | undefined {
  if (typeof value === "string") return value || undefined;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** The object, unless it has no members. */
export function filled(unit: Unit): Unit | undefined {
  return Object.keys(unit).length > 0 ? unit : undefined;
}

export type AccountType = "User" | "Admin" | "System" | "Service";

const ACCOUNTS: [AccountType, RegExp][] = [
  ["User", /(?:user|member|person|employee|customer)$/i],
  ["Admin", /(?:admin|administrator|root)$/i],
  ["System", /system$/i],
  ["Service", /(?:service|service_account|api_key|bot|machine|application)$/i],
];

/** What kind of account a participant's type names, in the words of OCSF; null for any other. */
export function accountOf({ type }: Participant): AccountType | null {
  return ACCOUNTS.find(([, pattern]) => pattern.test(type))?.[0] ?? null;
}

/** The first person among the targets. */
export function targetUser({ targets }: Facts): Participant | undefined {
  return targets.find((target) => accountOf(target) === "User");
}
