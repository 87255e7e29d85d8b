import { Ajv } from "ajv";
import addFormats from "ajv-formats";

/**
 * JSON Schemas of every answer that the compatible API gives on success. What the contract calls required must be there; nothing
 * else may, so that a member which clients do not know is a decision and not an accident.
 */

const time = { type: "string", format: "date-time" };
const text = { type: "string" };
const nullable = (type: string) => ({ type: [type, "null"] });

function object(required: object, optional: object = {}) {
  return {
    type: "object",
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

const constant = (value: string) => ({ const: value });
const id = (prefix: string) => ({ type: "string", pattern: `^${prefix}[0-9A-HJKMNP-TV-Z]{26}$` });
const list = (items: object) =>
  object({
    object: constant("list"),
    data: { type: "array", items },
    list_metadata: object({ before: nullable("string"), after: nullable("string") }),
  });

const times = { created_at: time, updated_at: time };
const metadataSchema = object({ metadata: { type: "object" } });

const schema = object(
  {
    object: constant("audit_log_schema"),
    version: { type: "integer", minimum: 1 },
    targets: {
      type: "array",
      minItems: 1,
      items: object({ type: text }, { metadata: { type: "object" } }),
    },
    created_at: time,
  },
  { actor: metadataSchema, metadata: { type: "object" } },
);

const organization = object(
  {
    object: constant("organization"),
    id: { type: "string", pattern: "^org_[A-Z0-9]{26}$" },
    name: text,
    domains: {
      type: "array",
      items: object(
        {
          object: constant("organization_domain"),
          id: id("org_domain_"),
          organization_id: text,
          domain: text,
        },
        { state: text, verification_strategy: text, ...times },
      ),
    },
    metadata: { type: "object", additionalProperties: text },
    external_id: nullable("string"),
    ...times,
  },
  { stripe_customer_id: text, allow_profiles_outside_organization: { type: "boolean" } },
);

const auditExport = object(
  {
    object: constant("audit_log_export"),
    id: id("audit_log_export_"),
    state: { enum: ["pending", "ready", "error", "expired"] },
    ...times,
  },
  { url: { type: "string", format: "uri" } },
);

const contact = object({ object: constant("it_contact"), id: text, email: text, ...times });
const retention = object({ retention_period_in_days: nullable("integer") });

const configuration = object(
  {
    organization_id: text,
    retention_period_in_days: { type: "integer" },
    state: { enum: ["active", "inactive", "disabled"] },
  },
  {
    log_stream: object({
      id: id("als_"),
      type: {
        enum: [
          "AzureSentinel",
          "Datadog",
          "GenericHttps",
          "GoogleCloudStorage",
          "S3",
          "Snowflake",
          "Splunk",
        ],
      },
      state: { enum: ["active", "inactive", "error", "invalid"] },
      last_synced_at: { type: ["string", "null"], format: "date-time" },
      created_at: time,
    }),
  },
);

const widgetStream = object(
  {},
  {
    id: text,
    state: { enum: ["Active", "Inactive", "Error", "Invalid"] },
    type: text,
    errorMessage: text,
    lastSyncedEventId: text,
    auditLogTrailId: text,
  },
);

const ONE = "[^/]+";
const answers: [method: string, path: string, status: number, schema: object][] = [
  ["POST", "/audit_logs/events", 200, object({ success: { const: true } })],
  [
    "GET",
    "/audit_logs/actions",
    200,
    list(object({ object: constant("audit_log_action"), name: text, schema, ...times })),
  ],
  ["POST", `/audit_logs/actions/${ONE}/schemas`, 201, schema],
  ["GET", `/audit_logs/actions/${ONE}/schemas`, 200, list(schema)],
  ["POST", "/audit_logs/exports", 201, auditExport],
  ["GET", `/audit_logs/exports/${ONE}`, 200, auditExport],
  ["GET", "/organizations", 200, list(organization)],
  ["POST", "/organizations", 201, organization],
  ["GET", `/organizations/${ONE}`, 200, organization],
  ["PUT", `/organizations/${ONE}`, 200, organization],
  ["DELETE", `/organizations/${ONE}`, 202, object({ message: constant("Accepted") })],
  ["GET", `/organizations/external_id/${ONE}`, 200, organization],
  ["GET", `/organizations/${ONE}/audit_logs_retention`, 200, retention],
  ["PUT", `/organizations/${ONE}/audit_logs_retention`, 200, retention],
  ["GET", `/organizations/${ONE}/audit_log_configuration`, 200, configuration],
  ["GET", `/organizations/${ONE}/it_contacts`, 200, list(contact)],
  ["POST", `/organizations/${ONE}/it_contacts`, 201, contact],
  ["DELETE", `/organizations/${ONE}/it_contacts/${ONE}`, 200, object({ success: { const: true } })],
  ["POST", `/organizations/${ONE}/it_contacts/${ONE}/invite`, 200, contact],
  ["POST", `/organizations/${ONE}/it_contacts/${ONE}/revoke`, 200, contact],
  ["POST", "/portal/generate_link", 201, object({ link: { type: "string", format: "uri" } })],
  ["POST", "/widgets/token", 201, object({ token: text })],
  ["GET", "/_widgets/admin-portal/audit-log-stream", 200, widgetStream],
  [
    "POST",
    "/_widgets/admin-portal/generate-link",
    201,
    object({ link: { type: "string", format: "uri" } }),
  ],
];

const ajv = new Ajv({ allErrors: true, strict: false });
addFormats.default(ajv);
const compiled = answers.map(([method, path, status, shape]) => ({
  method,
  path: new RegExp(`^${path}$`),
  status,
  validate: ajv.compile(shape),
}));

/** What of a successful answer breaks the contract; null: nothing. */
export function breachOf(method: string, url: string, status: number, body: string): string | null {
  const [path = ""] = url.split("?");
  const what = `${method} ${path} ${status}`;
  // Downloads are files.
  if (path.endsWith("/file")) return null;
  const known = compiled.find((answer) => answer.method === method && answer.path.test(path));
  if (!known) return `${what}: not in the contract`;
  if (known.status !== status) return `${what}: the contract says ${known.status}`;
  if (known.validate(JSON.parse(body))) return null;
  return `${what}: ${ajv.errorsText(known.validate.errors)} in ${body.slice(0, 500)}`;
}
