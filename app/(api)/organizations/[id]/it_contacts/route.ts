import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { answerOnce } from "@/lib/http/answer-once";
import { answerJson } from "@/lib/http/json-handler";
import { parseListQuery } from "@/lib/http/list-page";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { itContactSchema } from "@/lib/orgs/schema";
import { createItContact, listItContacts } from "@/lib/orgs/server/it-contacts";

interface Props {
  params: Promise<{ id: string }>;
}

const authenticate = (request: Request) =>
  authenticateApiKey(request, "handler:/organizations/[id]/it_contacts");

export function GET(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const query = parseListQuery(new URL(request.url).searchParams);
    return listItContacts(await key.scopeFor((await params).id), query);
  });
}

export function POST(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const contact = parseFields(itContactSchema, await readJson(request));
    const scope = await key.scopeFor((await params).id);
    return answerOnce(request, key, contact, async () => ({
      status: 201,
      body: await createItContact(scope, contact),
    }));
  });
}
