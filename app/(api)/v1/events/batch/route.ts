import { batchQuery, MAX_BATCH_BYTES } from "@/lib/api/schema";
import { splitBatch, storeBatch } from "@/lib/api/server/batch";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { endpointLimits } from "@/lib/events/endpoint-limits";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readText } from "@/lib/http/read-body";

export function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/v1/events/batch");
    const { searchParams } = new URL(request.url);
    const query = parseFields(batchQuery, Object.fromEntries(searchParams));
    const text = await readText(request, MAX_BATCH_BYTES);
    const items = splitBatch(text, request.headers.get("content-type") ?? "");
    const scope = await key.scopeFor(query.organization_id);
    const data = await storeBatch(scope, items, { ...query, limits: endpointLimits() });
    return { object: "batch", data };
  });
}
