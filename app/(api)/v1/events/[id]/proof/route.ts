import { organizationQuery } from "@/lib/api/schema";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readEventProof } from "@/lib/integrity/server/event-proof";

export function GET(
  request: Request,
  { params }: { params: Promise<{ id: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/v1/events/[id]/proof");
    const { searchParams } = new URL(request.url);
    const query = parseFields(organizationQuery, Object.fromEntries(searchParams));
    return readEventProof(await key.scopeFor(query.organization_id), (await params).id);
  });
}
