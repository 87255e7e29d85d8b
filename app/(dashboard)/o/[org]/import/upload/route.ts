import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { receiveUpload } from "@/lib/import/server/receive-upload";

/** Takes a file as the body, its name as `name`. Answers 201 with the import's id. */
export async function POST(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/import/upload", org);
    if (!request.body)
      throw new AppError("invalid_request", "The file is empty: there is nothing to import.");
    const name = new URL(request.url).searchParams.get("name") ?? "";
    const length = request.headers.get("content-length");
    const content = Readable.fromWeb(request.body as ReadableStream<Uint8Array>);
    const { id } = await receiveUpload(
      scope,
      name,
      content,
      length === null ? null : Number(length),
    );
    return jsonResponse(201, { id });
  } catch (error) {
    return errorResponse(error);
  }
}
