import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { recordDownload } from "@/lib/events/server/record-read";
import { errorResponse } from "@/lib/http/error-response";
import { parseFields } from "@/lib/http/parse-input";
import { proofPage } from "@/lib/integrity/proof-page/page";
import { readEventProof, vkeyOfProof } from "@/lib/integrity/server/event-proof";

const querySchema = z.object({
  id: z.string().min(1).max(64),
  format: z.enum(["html", "json"]).default("html"),
});

/** The proof of one event as a file: a page that checks itself offline, or what `trailseal verify --proof` takes. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/proof", org);
    const { searchParams } = new URL(request.url);
    const { id, format } = parseFields(querySchema, Object.fromEntries(searchParams));
    const proof = await readEventProof(scope, id);
    const targets = [{ type: "audit_event", id }];
    await recordDownload(scope, { action: "trailseal.proof_downloaded", targets });
    const isPage = format === "html";
    const body = isPage
      ? proofPage(proof, await vkeyOfProof(scope, proof))
      : JSON.stringify(proof, null, 1);
    return new Response(body, {
      headers: {
        "Content-Type": isPage ? "text/html; charset=utf-8" : "application/json",
        "Content-Disposition": `attachment; filename="proof-${id}.${format}"`,
        "Cache-Control": "no-store",
      },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
