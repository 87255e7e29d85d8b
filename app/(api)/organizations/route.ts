import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseListQuery, readListPage } from "@/lib/http/list-page";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { newOrganizationBody, toWireOrganization } from "@/lib/orgs/schema";
import { createApiOrganization, listApiOrganizations } from "@/lib/orgs/server/api-organizations";

/** Organizations, newest first (contract §10); `domains` joins several by commas. */
export async function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/organizations");
    const scope = key.instanceScope();
    const params = new URL(request.url).searchParams;
    const filter = {
      domains: params.getAll("domains").flatMap((joined) => joined.split(",").filter(Boolean)),
      search: params.get("search") ?? "",
    };
    const query = parseListQuery(params);
    return readListPage(
      query,
      (step) => listApiOrganizations(scope, filter, step),
      toWireOrganization,
    );
  });
}

export async function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/organizations");
    const scope = key.instanceScope();
    const body = parseFields(newOrganizationBody, await readJson(request));
    const idempotencyKey = request.headers.get("idempotency-key");
    return toWireOrganization(await createApiOrganization(scope, body, idempotencyKey));
  }, 201);
}
