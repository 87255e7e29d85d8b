import { type Operation, operationOf, signOf } from "@/lib/events/operation";
import type { StreamEvent } from "../destination";
import {
  type AccountType,
  accountOf,
  type Facts,
  factsOf,
  filled,
  type Participant,
} from "./facts";

const API = {
  category_uid: 6,
  category_name: "Application Activity",
  class_uid: 6003,
  class_name: "API Activity",
};
const AUTHENTICATION = {
  category_uid: 3,
  category_name: "Identity & Access Management",
  class_uid: 3002,
  class_name: "Authentication",
};

type Activity = [id: number, name: string];
const OPERATIONS: Record<Operation, Activity> = {
  created: [1, "Create"],
  accessed: [2, "Read"],
  updated: [3, "Update"],
  deleted: [4, "Delete"],
};
const SIGNS: Record<"in" | "out", Activity> = { in: [1, "Logon"], out: [2, "Logoff"] };

const ACCOUNT_IDS: Record<AccountType, number> = { User: 1, Admin: 2, System: 3, Service: 4 };

/**
 * OCSF 1.8.0: signing in and out as Authentication (3002), everything else as API Activity (6003). What
 * the classes have no place for is in `unmapped`, under the event's own names.
 * Source: schema.ocsf.io/1.8.0.
 */
export function ocsf(item: StreamEvent): object {
  const { kind, seq, chainHash, previousHash, recordedAt, event } = item;
  const facts = factsOf(item);
  const { actor, targets, ip, location, userAgent } = facts;
  const sign = signOf(event.action);
  const base = sign ? AUTHENTICATION : API;
  const operation = operationOf(event.action);
  const [activity, activityName] = sign
    ? SIGNS[sign]
    : operation
      ? OPERATIONS[operation]
      : [99, "Other"];
  const { type, id: _, name: __, ...details } = actor;
  const source = ip ? { ip } : location ? { name: location } : undefined;
  return {
    ...base,
    activity_id: activity,
    // For 99 the source's own word.
    activity_name: activity === 99 ? event.action : activityName,
    type_uid: base.class_uid * 100 + activity,
    type_name: `${base.class_name}: ${activityName}`,
    time: Date.parse(event.occurred_at),
    severity_id: 1,
    severity: "Informational",
    message: facts.message,
    ...statusOf(facts),
    metadata: {
      version: "1.8.0",
      product: { name: "Trailseal", vendor_name: "Trailseal" },
      uid: event.id,
      tenant_uid: event.organization_id,
      event_code: event.action,
      log_version: String(event.version),
      logged_time: Date.parse(recordedAt),
      sequence: seq ?? undefined,
      labels: kind === "event" ? undefined : [kind],
    },
    actor: { user: userOf(actor) },
    ...(sign
      ? { user: userOf(actor), service: serviceOf(facts, event.organization_id) }
      : {
          api: { operation: event.action },
          resources: targets.length > 0 ? targets.map(resourceOf) : undefined,
        }),
    // The class for APIs demands one.
    src_endpoint: source ?? (sign ? undefined : { name: "unknown" }),
    http_request: userAgent ? { user_agent: userAgent } : undefined,
    unmapped: {
      chain_hash: chainHash ?? undefined,
      prev_hash: previousHash ?? undefined,
      recorded_at: recordedAt,
      actor: { type, ...details },
      targets: sign && targets.length > 0 ? targets : undefined,
      context: facts.context,
      metadata: facts.metadata,
    },
  };
}

function statusOf({ outcome, error }: Facts): object {
  if (!outcome) return {};
  return {
    ...(outcome === "success"
      ? { status_id: 1, status: "Success" }
      : { status_id: 2, status: "Failure" }),
    status_code: error?.code,
    status_detail: error?.message,
  };
}

/** `type` is the name of `type_id`, and the source's own word for 99. */
function userOf(actor: Participant): object {
  const account = accountOf(actor);
  return {
    uid: actor.id,
    name: actor.name || undefined,
    type_id: account ? ACCOUNT_IDS[account] : 99,
    type: account ?? actor.type,
  };
}

function resourceOf({ type, id, name, ...data }: Participant): object {
  return { uid: id, name: name || undefined, type, data: filled(data) };
}

/** What was signed in to: the first target that is no person, else the organization. */
function serviceOf({ targets }: Facts, organizationId: string): object {
  const target = targets.find((each) => accountOf(each) !== "User");
  return target ? { uid: target.id, name: target.name || undefined } : { uid: organizationId };
}
