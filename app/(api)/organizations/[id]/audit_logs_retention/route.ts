import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { retentionSchema } from "@/lib/orgs/schema";
import { readRetention, setRetention } from "@/lib/orgs/server/retention";

interface Props {
  params: Promise<{ id: string }>;
}

const authenticate = (request: Request) =>
  authenticateApiKey(request, "handler:/organizations/[id]/audit_logs_retention");

export function GET(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const scope = await key.scopeFor((await params).id);
    return { retention_period_in_days: await readRetention(scope) };
  });
}

export function PUT(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const { days } = parseFields(retentionSchema, await readJson(request));
    await setRetention(await key.scopeFor((await params).id), days);
    return { retention_period_in_days: days };
  });
}
