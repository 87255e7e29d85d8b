import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerOnce } from "@/lib/http/answer-once";
import { answerJson } from "@/lib/http/json-handler";
import { parseListQuery, readListPage } from "@/lib/http/list-page";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { actionNameSchema, newActionSchemaSchema, toWireSchema } from "@/lib/schemas/schema";
import { insertActionSchema, listActionSchemas } from "@/lib/schemas/server/action-schemas";
import { forgetUnknown } from "@/lib/schemas/server/check-event";

/** The name stands in the path as the client encoded it: decoded once, here. */
function actionOf(request: Request): string {
  const name = new URL(request.url).pathname.split("/")[3] ?? "";
  return parseFields(actionNameSchema, decodeURIComponent(name));
}

/** The next version of an action's schema (contract §7). */
export async function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/audit_logs/actions/[action]/schemas");
    const scope = key.instanceScope();
    const schema = parseFields(newActionSchemaSchema, await readJson(request));
    const action = actionOf(request);
    const answer = await answerOnce(request, key, schema, async (client) => ({
      status: 201,
      body: toWireSchema(await insertActionSchema(client, scope, action, schema)),
    }));
    forgetUnknown();
    return answer;
  });
}

/** Every version of an action's schema. */
export async function GET(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/audit_logs/actions/[action]/schemas");
    const scope = key.instanceScope();
    const query = parseListQuery(new URL(request.url).searchParams);
    const action = actionOf(request);
    return readListPage(query, (step) => listActionSchemas(scope, action, step), toWireSchema);
  });
}
