import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { parseExportRequest, toWireExport } from "@/lib/exports/schema";
import { createExport } from "@/lib/exports/server/exports";
import { answerOnce } from "@/lib/http/answer-once";
import { answerJson } from "@/lib/http/json-handler";
import { readJson } from "@/lib/http/read-body";

/** Queues a file of an organization's events (contract §8; `format`, `filter`, `raw` and `proof` are our own). */
export async function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/audit_logs/exports");
    const { organizationId, ...wanted } = parseExportRequest(await readJson(request));
    const scope = await key.scopeFor(organizationId);
    return answerOnce(request, key, { organizationId, ...wanted }, async (client) => ({
      status: 201,
      body: toWireExport(await createExport(client, scope, wanted), null),
    }));
  });
}
