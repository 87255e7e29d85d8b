import { describe, expect, it } from "vitest";
import { openApiDocument } from "./openapi";
import { eventsQuery } from "./schema";

describe("the API's description", () => {
  const { openapi, paths } = openApiDocument("https://audit.example.com");

  it("is OpenAPI 3.1 of every path of /v1", () => {
    expect(openapi).toBe("3.1.0");
    expect(Object.keys(paths)).toEqual([
      "/v1/events/batch",
      "/v1/events",
      "/v1/events/{id}",
      "/v1/events/{id}/proof",
      "/v1/checkpoints",
      "/v1/organizations",
      "/v1/streams",
      "/v1/verification",
    ]);
  });

  it("names every parameter that is read, and which are required", () => {
    const parameters = paths["/v1/events"]?.get?.parameters ?? [];
    expect(parameters.map(({ name }) => name)).toEqual(Object.keys(eventsQuery.shape));
    expect(parameters.filter(({ required }) => required).map(({ name }) => name)).toEqual([
      "organization_id",
    ]);
    expect(paths["/v1/events/{id}"]?.get?.parameters[0]).toMatchObject({ name: "id", in: "path" });
  });

  it("takes batches as JSON and as lines", () => {
    const body = paths["/v1/events/batch"]?.post?.requestBody;
    expect(Object.keys(body?.content ?? {})).toEqual(["application/json", "application/x-ndjson"]);
  });
});
