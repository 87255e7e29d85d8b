import { z } from "zod";
import { type Batch, defineDestination, fitting, type StreamEvent } from "../destination";
import { baseAddress, optionalText, token } from "../endpoint";
import { field } from "../form";
import { encodeItem, OBJECT_FORMATS, workosEvent } from "../formats";
import { classifyApi, tooLarge } from "../problems";

/** By the parameter of its site. @see https://docs.datadoghq.com/getting_started/site/ */
const SITES: Record<string, string> = {
  "datadoghq.com": "US1",
  "us3.datadoghq.com": "US3",
  "us5.datadoghq.com": "US5",
  "datadoghq.eu": "EU1",
  "uk1.datadoghq.com": "UK1",
  "ap1.datadoghq.com": "AP1",
  "ap2.datadoghq.com": "AP2",
  "ddog-gov.com": "US1-FED",
  "us2.ddog-gov.com": "US2-FED",
};
const OWN = "own";
const MAX_REQUEST_BYTES = 4_900_000;
const MAX_LOG_BYTES = 1_000_000;
const MAX_LOGS = 1_000;
/** Datadog drops logs that say they are older than 18 hours; the difference is time on the way. */
const MAX_AGE_MS = 17.5 * 3_600_000;
/** Where Datadog looks for a log's date, that our formats have. */
const DATE = "@timestamp";

const intakeOf = ({ site, url }: { site: string; url?: string | undefined }) =>
  (site === OWN && url) || `https://http-intake.logs.${site}/`;

/** One log. An old event has no date of its own, or it would be dropped: it gets that of its arrival. */
function logOf(batch: Batch, item: StreamEvent): object {
  if (batch.format === "workos") return { message: workosEvent(item) };
  const { occurred_at: occurredAt } = item.event;
  const isOld = batch.sentAt.getTime() - Date.parse(occurredAt) > MAX_AGE_MS;
  const encoded = encodeItem(batch.format, item);
  if (typeof encoded === "string") return { message: encoded };
  if (!isOld) return { message: JSON.stringify(encoded), timestamp: occurredAt };
  const { [DATE]: _, ...undated } = encoded as Record<string, unknown>;
  return { message: JSON.stringify(undated), occurred_at: occurredAt };
}

/**
 * Datadog Logs, HTTP intake v2. The message is the event as JSON, which Datadog takes apart. It cuts logs above
 * 1 MB without a word, so such an event is set aside instead of sent. It drops no copies: a batch sent twice is
 * there twice.
 * @see https://docs.datadoghq.com/api/latest/logs/#send-logs
 */
export const datadog = defineDestination({
  id: "datadog",
  label: "Datadog",
  about: "Datadog Logs, by the HTTP intake of your site.",
  contractType: "Datadog",
  formats: [...OBJECT_FORMATS, "workos"],
  configSchema: z
    .strictObject({
      site: field(z.enum([...Object.keys(SITES), OWN]).default("datadoghq.com"), {
        label: "Site",
        kind: "choice",
        options: [
          ...Object.entries(SITES).map(([id, label]) => ({ id, label, about: id })),
          { id: OWN, label: "Another address", about: "A proxy or Observability Pipelines." },
        ],
        hint: "Datadog takes times of the last 18 hours. An older event is dated by its arrival; occurred_at keeps its time.",
      }),
      url: field(baseAddress(/\/api\/v2\/logs$/).optional(), {
        label: "Intake address",
        kind: "url",
        placeholder: "https://pipelines.example.com:8443",
        hint: "The path /api/v2/logs is added.",
        when: { field: "site", equals: OWN },
      }),
      service: optionalText("Service", { placeholder: "audit-logs" }),
      source: optionalText("Source", { placeholder: "trailseal" }),
      tags: field(
        z
          .string()
          .trim()
          .regex(/^[^\s,]+(,[^\s,]+)*$/, "Separate tags by commas, without spaces.")
          .max(1_000)
          .optional(),
        { label: "Tags", placeholder: "env:production,team:security" },
      ),
    })
    .refine(({ site, url }) => site !== OWN || url, { path: ["url"], error: "Enter a value." }),
  secrets: {
    api_key: {
      label: "API key",
      hint: "From Datadog: Organization settings, API keys. Never shown again after saving.",
      schema: token("An API key"),
    },
  },
  endpoint: intakeOf,
  describe: (config) => SITES[config.site] ?? new URL(intakeOf(config)).host,

  frame(batch, config, secrets) {
    const { service = "audit-logs", source: ddsource = "trailseal", tags } = config;
    const encode = (item: StreamEvent) =>
      JSON.stringify({
        ...logOf(batch, item),
        ddsource,
        service,
        ...(tags ? { ddtags: tags } : {}),
      });
    const items = fitting(batch, encode, {
      events: MAX_LOGS,
      bytes: MAX_REQUEST_BYTES,
      item: MAX_LOG_BYTES,
    });
    return {
      url: `${intakeOf(config)}api/v2/logs`,
      method: "POST",
      headers: { "content-type": "application/json", "dd-api-key": secrets.api_key ?? "" },
      body: `[${items.join(",")}]`,
      gzip: true,
      count: items.length,
      ...tooLarge(items, MAX_LOG_BYTES, "Datadog"),
    };
  },

  classify: (reply) => classifyApi(reply, "Datadog"),
});
