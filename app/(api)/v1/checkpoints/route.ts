import { checkpointsQuery } from "@/lib/api/schema";
import { readCheckpoints } from "@/lib/api/server/read";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";

export function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/v1/checkpoints");
    const { searchParams } = new URL(request.url);
    const query = parseFields(checkpointsQuery, Object.fromEntries(searchParams));
    return readCheckpoints(await key.scopeFor(query.organization_id), query);
  });
}
