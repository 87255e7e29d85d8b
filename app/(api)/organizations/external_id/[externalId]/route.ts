import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { toWireOrganization } from "@/lib/orgs/schema";
import { findByExternalId } from "@/lib/orgs/server/api-organizations";

export async function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/external_id/[externalId]",
    );
    const externalId = decodeURIComponent(new URL(request.url).pathname.split("/")[3] ?? "");
    return toWireOrganization(await findByExternalId(key.instanceScope(), externalId));
  });
}
