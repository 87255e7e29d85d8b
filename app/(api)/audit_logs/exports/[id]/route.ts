import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { signLink } from "@/lib/auth/server/signed-link";
import { toWireExport } from "@/lib/exports/schema";
import { findOrganizationOf, getExport } from "@/lib/exports/server/exports";
import { originOf } from "@/lib/http/arrival";
import { jsonResponse } from "@/lib/http/error-response";
import { answerJson } from "@/lib/http/json-handler";

type Context = { params: Promise<{ id: string }> };

/** How far an export is; once it is ready, each answer has fresh links to its files (contract §8). */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  return answerJson(async () => {
    const key = await authenticateApiKey(request, "handler:/audit_logs/exports/[id]");
    const { id } = await params;
    const scope = await key.scopeFor(
      key.organizationId ?? (await findOrganizationOf(key.instanceScope(), id)),
    );
    const found = await getExport(scope, id);
    const link = (name: string) =>
      `${originOf(request)}${signLink(scope, `/audit_logs/exports/${found.id}/${name}`, found.linksEpoch)}`;
    const body = toWireExport(found, link("file"));
    // The contract's object has no room for it (RFC 8288).
    const manifest = `<${link("manifest")}>; rel="describedby"`;
    const isThere = found.state === "ready" && found.hasManifest;
    return jsonResponse(200, body, {
      "Cache-Control": "no-store",
      ...(isThere ? { Link: manifest } : {}),
    });
  });
}
