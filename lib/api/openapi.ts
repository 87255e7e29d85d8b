import { z } from "zod";
import { newOrganizationSchema } from "@/lib/orgs/schema";
import * as api from "./schema";

interface Operation {
  method: "get" | "post";
  path: string;
  summary: string;
  query?: z.ZodObject;
  body?: Record<string, z.ZodType>;
  /** 200 where nothing is said. */
  status?: 201;
  answer: z.ZodType;
}

/** Every operation of /v1: the document and the docs page are made of these. */
const operations: Operation[] = [
  {
    method: "post",
    path: "/v1/events/batch",
    summary:
      "Store up to 1,000 events or 5 MB. Each has an outcome, in order; sent again within a day, an event is a duplicate.",
    query: api.batchQuery,
    body: {
      "application/json": z.array(api.batchItem).max(api.MAX_BATCH_EVENTS),
      "application/x-ndjson": api.batchItem,
    },
    answer: api.batchResult,
  },
  {
    method: "get",
    path: "/v1/events",
    summary: "Events that match a filter, newest first.",
    query: api.eventsQuery,
    answer: api.eventList,
  },
  {
    method: "get",
    path: "/v1/events/{id}",
    summary: "One event with its place in the chain.",
    query: api.organizationQuery,
    answer: api.eventDetail,
  },
  {
    method: "get",
    path: "/v1/events/{id}/proof",
    summary: "Why one event is in the signed log: a file that is checked offline.",
    query: api.organizationQuery,
    answer: api.eventProof,
  },
  {
    method: "get",
    path: "/v1/checkpoints",
    summary: "Signed states of the log, newest first, and the key that signs them.",
    query: api.checkpointsQuery,
    answer: api.checkpointList,
  },
  {
    method: "post",
    path: "/v1/organizations",
    summary: "Create an organization, with the id it has elsewhere where one is given.",
    body: { "application/json": newOrganizationSchema },
    status: 201,
    answer: api.newOrganization,
  },
  {
    method: "get",
    path: "/v1/streams",
    summary: "Streams and how far they are.",
    query: api.organizationQuery,
    answer: api.streamList,
  },
  {
    method: "get",
    path: "/v1/verification",
    summary: "How far the log is proven.",
    query: api.organizationQuery,
    answer: api.verificationStatus,
  },
];

type JsonSchema = Record<string, unknown>;

function schemaOf(schema: z.ZodType, io: "input" | "output" = "output"): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

export interface Parameter {
  name: string;
  in: "query" | "path";
  required: boolean;
  description?: string;
  schema: JsonSchema;
}

function parametersOf({ path, query = z.object({}) }: Operation): Parameter[] {
  const { properties, required } = schemaOf(query, "input") as {
    properties: Record<string, JsonSchema>;
    required?: string[];
  };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(
    ([, name]): Parameter => ({
      name: name as string,
      in: "path",
      required: true,
      schema: { type: "string" },
    }),
  );
  const inQuery = Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query" as const,
    required: required?.includes(name) ?? false,
    ...(description ? { description: String(description) } : {}),
    schema,
  }));
  return [...inPath, ...inQuery];
}

const asContent = (schema: JsonSchema) => ({ "application/json": { schema } });

function describeOperation(operation: Operation) {
  const { body, summary, status = 200, answer } = operation;
  const content: Record<string, { schema: JsonSchema }> = {};
  for (const [type, schema] of Object.entries(body ?? {})) {
    content[type] = { schema: schemaOf(schema, "input") };
  }
  return {
    summary,
    parameters: parametersOf(operation),
    ...(body ? { requestBody: { required: true, content } } : {}),
    responses: {
      [status]: { description: "Done.", content: asContent(schemaOf(answer)) },
      default: {
        description: "Refused: message and code say why.",
        content: asContent({ $ref: "#/components/schemas/Problem" }),
      },
    },
  };
}

export function openApiDocument(serverUrl: string) {
  const paths: Record<string, Record<string, ReturnType<typeof describeOperation>>> = {};
  for (const operation of operations) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describeOperation(operation),
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Trailseal API",
      version: "1",
      description: "Beside these, the paths of the WorkOS Audit Logs API.",
    },
    servers: [{ url: serverUrl }],
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: "http", scheme: "bearer" } },
      schemas: { Problem: schemaOf(api.problem) },
    },
  };
}
