import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseListQuery, readListPage } from "@/lib/http/list-page";
import { toWireSchema } from "@/lib/schemas/schema";
import { listActions } from "@/lib/schemas/server/action-schemas";

/** Actions that have a schema, each with its newest version (contract §7). */
export async function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/audit_logs/actions");
    const scope = key.instanceScope();
    const query = parseListQuery(new URL(request.url).searchParams);
    return readListPage(
      query,
      (step) => listActions(scope, step),
      ({ name, schema, createdAt }) => ({
        object: "audit_log_action",
        name,
        schema: toWireSchema(schema),
        created_at: createdAt,
        updated_at: schema.createdAt,
      }),
    );
  });
}
