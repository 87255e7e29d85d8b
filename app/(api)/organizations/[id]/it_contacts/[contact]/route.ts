import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerJson } from "@/lib/http/json-handler";
import { deleteItContact } from "@/lib/orgs/server/it-contacts";

interface Props {
  params: Promise<{ id: string; contact: string }>;
}

export function DELETE(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(
      request,
      "handler:/organizations/[id]/it_contacts/[contact]",
    );
    const { id, contact } = await params;
    await deleteItContact(await key.scopeFor(id), contact);
    return { success: true };
  });
}
