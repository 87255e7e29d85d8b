import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { jsonResponse } from "@/lib/http/error-response";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { updateOrganizationSchema } from "@/lib/orgs/schema";
import { deleteOrganization, readOrganization, updateDetails } from "@/lib/orgs/server/directory";

interface Props {
  params: Promise<{ id: string }>;
}

const authenticate = (request: Request) =>
  authenticateApiKey(request, "handler:/organizations/[id]");

export function GET(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    return readOrganization(await key.scopeFor((await params).id));
  });
}

export function PUT(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const changes = parseFields(updateOrganizationSchema, await readJson(request));
    return updateDetails(await key.scopeFor((await params).id), changes);
  });
}

/** A key of one organization cannot delete it. */
export function DELETE(request: Request, { params }: Props): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticate(request);
    const scope = await key.scopeFor((await params).id);
    key.instanceScope();
    await deleteOrganization(scope);
    return jsonResponse(202, { message: "Accepted" });
  });
}
