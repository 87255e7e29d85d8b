import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { readConfiguration } from "@/lib/orgs/server/retention";

interface Props {
  params: Promise<{ id: string }>;
}

export function GET(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/[id]/audit_log_configuration",
    );
    return readConfiguration(await key.scopeFor((await params).id));
  });
}
