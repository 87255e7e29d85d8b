import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { readOrganization } from "@/lib/orgs/server/api-organizations";
import { listStreams } from "@/lib/streams/server/streams";
import { toWireStream } from "@/lib/streams/wire";

/** Said where nothing limits it: the contract wants a number. */
const FOR_EVER_DAYS = 36_500;

/** What is configured for an organization's log (contract §9), with the first of its streams. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ id: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/[id]/audit_log_configuration",
    );
    const scope = await key.scopeFor((await params).id);
    const [{ id, retentionDays }, streams] = await Promise.all([
      readOrganization(scope),
      listStreams(scope),
    ]);
    const [stream] = streams.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
    return {
      organization_id: id,
      retention_period_in_days: retentionDays ?? FOR_EVER_DAYS,
      state: "active",
      ...(stream ? { log_stream: toWireStream(stream) } : {}),
    };
  });
}
