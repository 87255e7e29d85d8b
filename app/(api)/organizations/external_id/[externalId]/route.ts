import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { findByExternalId } from "@/lib/orgs/server/directory";

interface Props {
  params: Promise<{ externalId: string }>;
}

export function GET(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/external_id/[externalId]",
    );
    return findByExternalId(key.widestScope(), (await params).externalId);
  });
}
