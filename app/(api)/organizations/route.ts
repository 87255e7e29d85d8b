import { z } from "zod";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerOnce } from "@/lib/http/answer-once";
import { answerJson } from "@/lib/http/json-handler";
import { parseListQuery } from "@/lib/http/list-page";
import { parseFields, storableText } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { createOrganizationSchema } from "@/lib/orgs/schema";
import { createWithDetails, listPage } from "@/lib/orgs/server/directory";

const filterSchema = z.object({
  search: storableText(200).nullable(),
  /** Comma-joined in one parameter, or repeated. */
  domains: z.array(storableText(10_000)),
});

const authenticate = (request: Request) => authenticateApiKey(request, "handler:/organizations");

export function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const { searchParams } = new URL(request.url);
    const domains = [...searchParams.getAll("domains"), ...searchParams.getAll("domains[]")];
    const filter = parseFields(filterSchema, {
      search: searchParams.get("search"),
      domains: domains.flatMap((list) => list.split(",")).filter((domain) => domain !== ""),
    });
    return listPage(key.widestScope(), parseListQuery(searchParams), filter);
  });
}

export function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const scope = key.instanceScope();
    const changes = parseFields(createOrganizationSchema, await readJson(request));
    return answerOnce(request, key, { ...changes }, async (client) => ({
      status: 201,
      body: await createWithDetails(client, scope, changes),
    }));
  });
}
