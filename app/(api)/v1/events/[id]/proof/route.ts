import { organizationQuery } from "@/lib/api/schema";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { recordDownload } from "@/lib/events/server/record-read";
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
    const scope = await key.scopeFor(query.organization_id);
    const { id } = await params;
    const proof = await readEventProof(scope, id);
    const targets = [{ type: "audit_event", id }];
    await recordDownload(scope, { action: "trailseal.proof_downloaded", targets });
    return proof;
  });
}
