import type { Scope } from "@/lib/auth/scope";
import { toWebBody } from "@/lib/http/web-body";
import { CONTENT_TYPES, fileNameOf, manifestNameOf } from "../schema";
import { openExport, sealDownload } from "./exports";

/** The file of an export as an answer, or its manifest; the log tells of the file first. @throws as openExport */
export async function answerFile(
  scope: Scope,
  id: string,
  options: { isManifest?: boolean; linkEpoch?: number } = {},
): Promise<Response> {
  const { file, bytes, format } = await openExport(scope, id, options);
  if (!options.isManifest)
    await sealDownload(scope, id).catch((error: unknown) => {
      file.destroy();
      throw error;
    });
  const name = (options.isManifest ? manifestNameOf : fileNameOf)({ id, format });
  return new Response(toWebBody(file), {
    headers: {
      "Content-Type": options.isManifest ? "text/plain; charset=utf-8" : CONTENT_TYPES[format],
      "Content-Disposition": `attachment; filename="${name}"`,
      "Content-Length": String(bytes),
      "Cache-Control": "no-store",
    },
  });
}
