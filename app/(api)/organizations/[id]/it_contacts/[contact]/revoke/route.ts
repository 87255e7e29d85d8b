import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { setInvitation } from "@/lib/orgs/server/it-contacts";

interface Props {
  params: Promise<{ id: string; contact: string }>;
}

export function POST(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/[id]/it_contacts/[contact]/revoke",
    );
    const { id, contact } = await params;
    return setInvitation(await key.scopeFor(id), contact, { intents: [] });
  });
}
