import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerOnce } from "@/lib/http/answer-once";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { newOrganizationSchema } from "@/lib/orgs/schema";
import { insertOrganization } from "@/lib/orgs/server/organizations";

/** Beside POST /organizations, for those who bring the ids that their applications know. */
export function POST(request: Request): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/v1/organizations");
    const scope = key.instanceScope();
    const given = parseFields(newOrganizationSchema, await readJson(request));
    return answerOnce(request, key, given, async (client) => {
      const { id } = await insertOrganization(client, scope, given);
      return { status: 201, body: { object: "organization", id, name: given.name } };
    });
  });
}
