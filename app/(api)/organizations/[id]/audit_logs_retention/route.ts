import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { retentionBody } from "@/lib/orgs/schema";
import { readOrganization, setRetention } from "@/lib/orgs/server/api-organizations";

type Context = { params: Promise<{ id: string }> };

/** How long events are kept (contract §9); null: for ever. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/[id]/audit_logs_retention",
    );
    const { retentionDays } = await readOrganization(await key.scopeFor((await params).id));
    return { retention_period_in_days: retentionDays };
  });
}

export async function PUT(request: Request, { params }: Context): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/[id]/audit_logs_retention",
    );
    key.instanceScope();
    const days = parseFields(retentionBody, await readJson(request));
    await setRetention(await key.scopeFor((await params).id), days);
    return { retention_period_in_days: days };
  });
}
