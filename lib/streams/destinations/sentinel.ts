import { z } from "zod";
import {
  type Batch,
  defineDestination,
  fitting,
  type Outcome,
  type Reply,
  type StreamEvent,
} from "../destination";
import { baseAddress, token } from "../endpoint";
import { field } from "../form";
import { encodeItem, OBJECT_FORMATS, workosEvent } from "../formats";
import { classifyApi, tooLarge } from "../problems";
import { requestOf } from "../request";
import { CLOUDS, PUBLIC, withToken } from "./entra";

const OWN = "own";
/** Azure Monitor cuts a field above this without a word; a row has one that is long. */
const MAX_FIELD_BYTES = 65_536;

const uuid = (what: string) =>
  z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.uuid(`${what} is a UUID.`));

const configSchema = z
  .strictObject({
    url: field(baseAddress(/\/dataCollectionRules\/.*$/), {
      label: "Data collection endpoint",
      kind: "url",
      placeholder: "https://audit-a1b2.westeurope-1.ingest.monitor.azure.com",
      hint: "Logs ingestion address of the endpoint, or of the rule if it has one of its own.",
    }),
    rule: field(
      z
        .string()
        .trim()
        .regex(/^dcr-[0-9a-f]{32}$/, "An immutable id is dcr- and 32 hexadecimal digits."),
      { label: "Rule's immutable id", placeholder: "dcr-00000000000000000000000000000000" },
    ),
    stream: field(
      z
        .string()
        .trim()
        .regex(/^Custom-[\w-]{1,100}$/, "The name of a stream begins with Custom-."),
      {
        label: "Stream of the rule",
        placeholder: "Custom-AuditEvents_CL",
        hint: "Its columns: TimeGenerated (datetime), EventId, Action, OrganizationId, ChainHash (string), Seq (long), Event (dynamic). In the WorkOS format: TimeGenerated, id, event_type, organization_id, data.",
      },
    ),
    tenant: field(uuid("A tenant id"), {
      label: "Tenant id",
      placeholder: "00000000-0000-0000-0000-000000000000",
    }),
    client: field(uuid("A client id"), {
      label: "Client id",
      placeholder: "00000000-0000-0000-0000-000000000000",
      hint: "Of the app registration that has the role Monitoring Metrics Publisher on the rule.",
    }),
    cloud: field(z.enum([...Object.keys(CLOUDS), OWN]).default("public"), {
      label: "Cloud",
      kind: "choice",
      options: [
        ...Object.entries(CLOUDS).map(([id, { label, domain }]) => ({ id, label, about: domain })),
        { id: OWN, label: "Another", about: "A sign-in address of its own." },
      ],
    }),
    authority: field(baseAddress(/$/).optional(), {
      label: "Sign-in address",
      kind: "url",
      placeholder: PUBLIC.authority,
      when: { field: "cloud", equals: OWN },
    }),
  })
  .refine(({ cloud, authority }) => cloud !== OWN || authority, {
    path: ["authority"],
    error: "Enter a value.",
  })
  .refine(
    ({ cloud, url }) =>
      cloud === OWN || new URL(url).hostname.endsWith(`.ingest.${CLOUDS[cloud]?.domain}`),
    {
      path: ["url"],
      error: "The host ends in .ingest.monitor.azure.com, or that of the chosen cloud.",
    },
  );

/** Contract §15 for the WorkOS format; else the same columns for every format. */
function rowOf({ format }: Batch, item: StreamEvent): object {
  const { id, action, occurred_at: TimeGenerated, organization_id } = item.event;
  if (format === "workos") {
    const data = workosEvent(item);
    return { TimeGenerated, id: data.id, event_type: action, organization_id, data };
  }
  return {
    TimeGenerated,
    EventId: id,
    Action: action,
    OrganizationId: organization_id,
    Seq: item.seq,
    ChainHash: item.chainHash,
    Event: encodeItem(format, item),
  };
}

/**
 * Microsoft Sentinel, by the Logs Ingestion API of Azure Monitor. At most 1 MB per request, before and after
 * compression; a field above 64 kB would be cut without a word, so such an event is set aside instead of sent. A
 * TimeGenerated more than two days back is replaced by the time of arrival; Event keeps the event's own. No copy
 * is dropped.
 * @see https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 */
export const sentinel = defineDestination({
  id: "sentinel",
  label: "Microsoft Sentinel",
  about: "A table of Microsoft Sentinel or Azure Monitor, by the Logs Ingestion API.",
  contractType: "AzureSentinel",
  formats: [...OBJECT_FORMATS, "workos"],
  configSchema,
  secrets: {
    client_secret: {
      label: "Client secret",
      hint: "Its value, from the app registration. Never shown again after saving.",
      schema: token("A client secret"),
    },
  },
  endpoint: (config) => config.url,
  boundTo: ({ cloud, authority }) => [cloud, authority],
  describe: (config) => `${config.stream}, ${new URL(config.url).host}`,

  frame(batch, config) {
    const items = fitting(batch, (item) => JSON.stringify(rowOf(batch, item)), {
      item: MAX_FIELD_BYTES,
    });
    const path = `dataCollectionRules/${config.rule}/streams/${config.stream}`;
    return {
      url: `${config.url}${path}?api-version=2023-01-01`,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `[${items.join(",")}]`,
      gzip: true,
      count: items.length,
      ...tooLarge(items, MAX_FIELD_BYTES, "Azure Monitor"),
    };
  },

  send(frame, { cloud, authority, tenant, client }, secrets, transport) {
    const application = {
      ...{ tenant, client, secret: secrets.client_secret ?? "" },
      cloud: CLOUDS[cloud] ?? { ...PUBLIC, authority: authority ?? PUBLIC.authority },
    };
    const request = (authorization: string) =>
      transport.http(requestOf({ ...frame, headers: { ...frame.headers, authorization } }));
    return withToken(application, transport, request, classify);
  },

  classify,
});

const ADVICE: Record<number, string> = {
  401: "Check that the app registration is of this tenant.",
  403: "Give the app registration the role Monitoring Metrics Publisher on the rule; it takes up to half an hour to count.",
  404: "Check that endpoint, rule and stream belong together.",
};

function classify(reply: Reply): Outcome {
  const outcome = classifyApi(reply, "Azure Monitor");
  const advice = ADVICE[reply.status];
  if (!advice || outcome.kind !== "config_error") return outcome;
  return { ...outcome, problem: { ...outcome.problem, advice } };
}
