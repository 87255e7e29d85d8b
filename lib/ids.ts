import { randomInt } from "node:crypto";
import { monotonicFactory } from "ulid";

const RANGE = 2 ** 32;
// Node keeps random bytes at hand; the package asks for each one by itself, sixteen times an id.
const nextUlid = monotonicFactory(() => randomInt(RANGE) / RANGE);

const PREFIX = {
  event: "audit_event_",
  organization: "org_",
  domain: "org_domain_",
  itContact: "it_contact_",
  user: "user_",
  identityProvider: "idp_",
  invitation: "invitation_",
  session: "ses_",
  apiKey: "key_",
  stream: "als_",
  lane: "lane_",
  schema: "als_",
  job: "job_",
  export: "audit_log_export_",
  import: "import_",
  view: "view_",
  portal: "portal_",
  request: "req_",
} as const;

export type IdKind = keyof typeof PREFIX;

/** A prefixed ULID, monotonic within the process: ids sort by arrival. */
export function newId(kind: IdKind): string {
  return PREFIX[kind] + nextUlid();
}

export function newUlid(): string {
  return nextUlid();
}
