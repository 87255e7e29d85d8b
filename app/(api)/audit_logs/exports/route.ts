import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { parseExportRequest, toWireExport } from "@/lib/exports/schema";
import { createExport } from "@/lib/exports/server/exports";
import { answerOnce } from "@/lib/http/answer-once";
import { answerJson } from "@/lib/http/json-handler";
import { readJson } from "@/lib/http/read-body";

/** Queues a CSV file of an organization's events (contract §8). */
export async function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/audit_logs/exports");
    const { organization_id, ...search } = parseExportRequest(await readJson(request));
    const scope = await key.scopeFor(organization_id);
    return answerOnce(request, key, { organization_id, ...search }, async (client) => ({
      status: 201,
      body: toWireExport(await createExport(client, scope, search), null),
    }));
  });
}
