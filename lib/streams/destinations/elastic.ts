import { z } from "zod";
import { type Batch, defineDestination, fitting, type StreamEvent } from "../destination";
import { authority, baseAddress, token, trusting } from "../endpoint";
import { field } from "../form";
import { encodeItem, OBJECT_FORMATS } from "../formats";
import { classifyStatus, problem } from "../problems";
import { answerOf } from "../request";

/** Of the answer, no more than is read. */
const FILTER = "errors,items.*.status,items.*.error.type,items.*.error.reason";
/** An answer of this length was cut. */
const CUT_BYTES = 65_000;

const answerSchema = z.object({
  errors: z.boolean(),
  items: z.array(
    z.object({
      create: z.object({
        status: z.number().int(),
        error: z.object({ type: z.string(), reason: z.string().nullish() }).partial().optional(),
      }),
    }),
  ),
});
type Result = z.infer<typeof answerSchema>["items"][number]["create"];

function documentOf({ format }: Batch, item: StreamEvent): object {
  const encoded = encodeItem(format, item);
  const members = typeof encoded === "string" ? { message: encoded } : encoded;
  return { "@timestamp": item.event.occurred_at, ...members };
}

function problemOf({ status, error }: Result, advice: string) {
  const { type = "no reason", reason } = error ?? {};
  const word = reason ? `${type}: ${reason.slice(0, 200)}` : type;
  return problem(`bulk_${status}`, `The cluster answered ${status} for an event, ${word}.`, advice);
}

/**
 * Elasticsearch and OpenSearch, `_bulk` with `create` and the event's id as `_id`: a copy is answered 409 and
 * dropped, unless the data stream rolled over in between.
 * @see https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export const elastic = defineDestination({
  id: "elastic",
  label: "Elasticsearch, OpenSearch",
  about: "A data stream or index of Elasticsearch, Elastic Cloud or OpenSearch.",
  contractType: "GenericHttps",
  formats: OBJECT_FORMATS,
  configSchema: z
    .strictObject({
      url: field(baseAddress(/\/_bulk$/), {
        label: "Cluster address",
        kind: "url",
        placeholder: "https://elastic.example.com:9200",
      }),
      dataStream: field(
        z
          .string()
          .trim()
          .regex(
            /^[a-z0-9][a-z0-9._+-]{0,99}$/,
            "A name has lower-case letters, digits, dots and hyphens.",
          )
          .default("logs-trailseal.audit-default"),
        {
          label: "Data stream or index",
          hint: "Elasticsearch makes a data stream whose name begins with logs- by itself.",
        },
      ),
      auth: field(z.enum(["api_key", "basic", "none"]).default("api_key"), {
        label: "Sign-in",
        kind: "choice",
        options: [
          { id: "api_key", label: "API key", about: "With create_doc on the data stream." },
          { id: "basic", label: "User and password", about: "HTTP basic authentication." },
          { id: "none", label: "None", about: "A cluster without security." },
        ],
      }),
      username: field(
        z
          .string()
          .trim()
          .regex(/^[^:]{1,255}$/, "A user name has no colon.")
          .optional(),
        {
          label: "User",
          when: { field: "auth", equals: "basic" },
        },
      ),
      ca: authority(),
    })
    .refine(({ auth, username }) => auth !== "basic" || username, {
      path: ["username"],
      error: "Enter a value.",
    }),
  secrets: {
    api_key: {
      label: "API key",
      hint: "As encoded, in base64. Never shown again after saving.",
      when: { field: "auth", equals: "api_key" },
      schema: token("An API key"),
    },
    password: {
      label: "Password",
      when: { field: "auth", equals: "basic" },
      schema: z.string().min(1).max(1_000),
    },
  },
  endpoint: (config) => config.url,
  boundTo: (config) => config.ca,
  describe: (config) => `${config.dataStream}, ${new URL(config.url).host}`,

  frame(batch, config, secrets) {
    const items = fitting(batch, (item) => {
      const action = { create: { _id: item.event.id } };
      return `${JSON.stringify(action)}\n${JSON.stringify(documentOf(batch, item))}`;
    });
    const basic = Buffer.from(`${config.username}:${secrets.password}`).toString("base64");
    const authorization = {
      api_key: `ApiKey ${secrets.api_key}`,
      basic: `Basic ${basic}`,
      none: "",
    };
    return {
      url: `${config.url}${config.dataStream}/_bulk?filter_path=${FILTER}`,
      method: "POST",
      headers: {
        "content-type": "application/x-ndjson",
        ...(config.auth === "none" ? {} : { authorization: authorization[config.auth] }),
      },
      body: `${items.join("\n")}\n`,
      gzip: true,
      count: items.length,
      ...trusting(config),
    };
  },

  classify(reply, count) {
    if (reply.status !== 200) return classifyStatus(reply, "The cluster");
    const answer = answerOf(reply, answerSchema);
    if (answer?.items.length !== count) {
      const unclear = problem(
        "bulk_answer",
        "The answer is not one of _bulk for these events.",
        "Check that the address is that of the cluster, and that no proxy changes its answers.",
      );
      const wasCut = Buffer.byteLength(reply.body) > CUT_BYTES;
      return { kind: wasCut ? "split" : "config_error", problem: unclear };
    }
    const results = answer.items.map((item) => item.create);
    const busy = results.find(({ status }) => status === 429 || status >= 500);
    if (busy) {
      const advice = "All are sent again; those that are in are dropped by their id.";
      return { kind: "retry", problem: problemOf(busy, advice), retryAfterS: reply.retryAfterS };
    }
    const denied = results.find(({ status }) => status === 401 || status === 403 || status === 404);
    if (denied) {
      const advice = "Check the data stream's name, and that the user or key may create documents.";
      return { kind: "config_error", problem: problemOf(denied, advice) };
    }
    const rejected = results.flatMap((result, index) =>
      result.status < 400 || result.status === 409
        ? []
        : [{ index, problem: problemOf(result, "Compare the event with the index's mapping.") }],
    );
    const [first] = rejected;
    if (!first) return { kind: "delivered" };
    // Whoever refuses all of them may refuse everything: the engine finds out, one event at a time.
    if (rejected.length === count) return { kind: "split", problem: first.problem };
    return { kind: "rejected", rejected };
  },
});
