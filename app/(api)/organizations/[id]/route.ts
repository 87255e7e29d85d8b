import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { errorResponse } from "@/lib/http/error-response";
import { answerJson } from "@/lib/http/json-handler";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { organizationChanges, toWireOrganization } from "@/lib/orgs/schema";
import {
  deleteOrganization,
  readOrganization,
  updateApiOrganization,
} from "@/lib/orgs/server/api-organizations";

type Context = { params: Promise<{ id: string }> };

export async function GET(request: Request, { params }: Context): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/organizations/[id]");
    return toWireOrganization(await readOrganization(await key.scopeFor((await params).id)));
  });
}

export async function PUT(request: Request, { params }: Context): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/organizations/[id]");
    key.instanceScope();
    const body = parseFields(organizationChanges, await readJson(request));
    const scope = await key.scopeFor((await params).id);
    return toWireOrganization(await updateApiOrganization(scope, body));
  });
}

/** 202 with plain text, as recorded of the original. */
export async function DELETE(request: Request, { params }: Context): Promise<Response> {
  try {
    const key = await authenticateApiKey(request, "handler:/organizations/[id]");
    key.instanceScope();
    await deleteOrganization(await key.scopeFor((await params).id));
    return new Response("Accepted", { status: 202, headers: { "Content-Type": "text/plain" } });
  } catch (error) {
    return errorResponse(error);
  }
}
