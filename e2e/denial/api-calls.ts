import type { Holdings } from "./tenant";

export interface ApiCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With what a tenant holds in braces. */
  path: string;
  body?: (held: Holdings) => object;
  /** For keys of the instance alone: a key of one organization is forbidden. */
  isInstances?: true;
  /** What a key of another organization is answered. */
  elsewhere?: number;
}

const byOrganization = "?organization_id={organization}";
const event = {
  action: "user.signed_in",
  occurred_at: "2026-03-02T06:00:00Z",
  actor: { type: "user", id: "u1" },
  targets: [],
};
const contact = "/organizations/{organization}/it_contacts/{contact}";
const get = (path: string): ApiCall => ({ method: "GET", path });
const post = (path: string, body: NonNullable<ApiCall["body"]>): ApiCall => ({
  method: "POST",
  path,
  body,
});

/** How each method of each handler of the API is called so that it is done, in this order. */
export const apiCalls: Record<string, ApiCall[]> = {
  "handler:/audit_logs/events": [
    post("/audit_logs/events", ({ organization }) => ({ organization_id: organization, event })),
  ],
  "handler:/v1/events": [get(`/v1/events${byOrganization}`)],
  "handler:/v1/events/[id]": [get(`/v1/events/{event}${byOrganization}`)],
  "handler:/v1/events/[id]/proof": [get(`/v1/events/{event}/proof${byOrganization}`)],
  "handler:/v1/checkpoints": [get(`/v1/checkpoints${byOrganization}`)],
  "handler:/v1/events/batch": [post(`/v1/events/batch${byOrganization}`, () => [{ event }])],
  "handler:/v1/organizations": [
    { ...post("/v1/organizations", () => ({ name: "Denied" })), isInstances: true },
  ],
  "handler:/v1/streams": [get(`/v1/streams${byOrganization}`)],
  "handler:/v1/verification": [get(`/v1/verification${byOrganization}`)],
  "handler:/widgets/token": [
    post("/widgets/token", ({ organization }) => ({
      organization_id: organization,
      scopes: ["widgets:audit-log-streaming:manage"],
    })),
  ],
  "handler:/portal/generate_link": [
    { ...post("/portal/generate_link", ({ organization }) => ({ organization })), elsewhere: 400 },
  ],
  "handler:/organizations": [
    // It lists what the key reaches.
    { ...get("/organizations"), elsewhere: 200 },
    { ...post("/organizations", () => ({ name: "Denied" })), isInstances: true },
  ],
  "handler:/organizations/[id]/audit_logs_retention": [
    get("/organizations/{organization}/audit_logs_retention"),
    {
      method: "PUT",
      path: "/organizations/{organization}/audit_logs_retention",
      body: () => ({ retention_period_in_days: 365 }),
    },
  ],
  "handler:/organizations/[id]/audit_log_configuration": [
    get("/organizations/{organization}/audit_log_configuration"),
  ],
  "handler:/organizations/external_id/[externalId]": [
    get("/organizations/external_id/{externalId}"),
  ],
  "handler:/audit_logs/actions": [{ ...get("/audit_logs/actions"), isInstances: true }],
  "handler:/audit_logs/actions/[action]/schemas": [
    { ...get("/audit_logs/actions/denial.suite/schemas"), isInstances: true },
    {
      ...post("/audit_logs/actions/denial.suite/schemas", () => ({ targets: [{ type: "doc" }] })),
      isInstances: true,
    },
  ],
  "handler:/organizations/[id]/it_contacts": [
    get("/organizations/{organization}/it_contacts"),
    post("/organizations/{organization}/it_contacts", () => ({ email: "new@example.com" })),
  ],
  "handler:/organizations/[id]/it_contacts/[contact]/invite": [
    post(`${contact}/invite`, () => ({ intents: ["log_streams"] })),
  ],
  "handler:/organizations/[id]/it_contacts/[contact]/revoke": [
    { method: "POST", path: `${contact}/revoke` },
  ],
  "handler:/organizations/[id]/it_contacts/[contact]": [{ method: "DELETE", path: contact }],
  "handler:/audit_logs/exports": [
    post("/audit_logs/exports", ({ organization }) => ({
      organization_id: organization,
      range_start: "2026-01-01T00:00:00Z",
      range_end: "2026-02-01T00:00:00Z",
    })),
  ],
  "handler:/audit_logs/exports/[id]": [get("/audit_logs/exports/{exportReady}")],
  "handler:/organizations/[id]": [
    get("/organizations/{organization}"),
    { method: "PUT", path: "/organizations/{organization}", body: () => ({ name: "Renamed" }) },
    { method: "DELETE", path: "/organizations/{organization}", isInstances: true },
  ],
};
