import { organizationQuery } from "@/lib/api/schema";
import { readVerificationStatus } from "@/lib/api/server/read";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";

export function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/v1/verification");
    const { searchParams } = new URL(request.url);
    const query = parseFields(organizationQuery, Object.fromEntries(searchParams));
    return readVerificationStatus(await key.scopeFor(query.organization_id));
  });
}
