import { once } from "node:events";
import { PassThrough } from "node:stream";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { recordDownload } from "@/lib/events/server/record-read";
import { errorResponse } from "@/lib/http/error-response";
import { toWebBody } from "@/lib/http/web-body";
import { writeBundle } from "@/lib/integrity/server/bundle";
import { vkeyOf } from "@/lib/integrity/server/signer";

/** The whole log as a file that `trailseal verify --bundle` takes; one that fails part-way has no clean end. */
export async function GET(
  _request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/integrity/bundle", org);
    // Refused here, while an answer can still say why.
    await vkeyOf(scope);
    await recordDownload(scope, { action: "trailseal.bundle_downloaded" });
    const file = new PassThrough();
    const write = async (line: string) => {
      if (file.destroyed) throw new Error("the download was broken off");
      if (!file.write(`${line}\n`)) await Promise.race([once(file, "drain"), once(file, "close")]);
    };
    writeBundle(scope, write).then(
      () => file.end(),
      (error) => file.destroy(error),
    );
    return new Response(toWebBody(file), {
      headers: {
        "Content-Type": "application/x-ndjson",
        "Content-Disposition": `attachment; filename="${scope.organizationId}-${new Date().toISOString().slice(0, 10)}.bundle.ndjson"`,
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
      },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
