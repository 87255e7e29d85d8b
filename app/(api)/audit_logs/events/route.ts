import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { AppError } from "@/lib/errors";
import { endpointLimits } from "@/lib/events/endpoint-limits";
import { parseEventRequest } from "@/lib/events/schema";
import { ingestEvent } from "@/lib/events/server/ingest";
import { idempotencyKeyOf } from "@/lib/http/answer-once";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { readJson } from "@/lib/http/read-body";
import { countIgnoredFields } from "@/lib/keys/server/api-keys";
import { log } from "@/lib/log";
import { checkEventSchema } from "@/lib/schemas/server/check-event";

/** Create an event, as the official SDKs call it: 401, then 400, 422, 404, and 200 once it is durable. */
export async function POST(request: Request): Promise<Response> {
  try {
    const key = await authenticateApiKey(request, "handler:/audit_logs/events");
    const body = await readJson(request);
    const idempotencyKey = idempotencyKeyOf(request);
    const parsed = parseEventRequest(body, endpointLimits());
    if (!parsed.ok)
      throw new AppError("invalid_event", "Validation failed.", { errors: parsed.errors });
    const { organizationId, event, ignored } = parsed.value;
    const scope = await key.scopeFor(organizationId);
    await checkEventSchema(event);
    await ingestEvent(scope, event, idempotencyKey);
    if (ignored.length === 0) return jsonResponse(200, { success: true });
    // The event is durable: what is only a statistic must not turn its answer into a refusal.
    await countIgnoredFields(key.id, ignored.length).catch((error) =>
      log().error({ err: error }, "ignored fields were not counted"),
    );
    return jsonResponse(
      200,
      { success: true },
      { "Trailseal-Ignored": headerText(ignored.join(", ")) },
    );
  } catch (error) {
    return errorResponse(error);
  }
}

/** Field names are the client's: only what a header can carry, and not much of it. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 1_000);
}
