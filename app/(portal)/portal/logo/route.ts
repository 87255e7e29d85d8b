import { AppError } from "@/lib/errors";
import { errorResponse } from "@/lib/http/error-response";
import { readLogo } from "@/lib/portal/server/branding";

const A_YEAR = "public, max-age=31536000, immutable";

/** The picture of whoever runs this server; kept by browsers under the name that pages ask for it by. */
export async function GET(request: Request): Promise<Response> {
  try {
    const logo = await readLogo();
    if (!logo) throw new AppError("not_found", "There is no logo.");
    const isNamed = new URL(request.url).searchParams.get("v") === logo.hash;
    return new Response(Buffer.from(logo.base64, "base64"), {
      headers: { "Content-Type": logo.type, "Cache-Control": isNamed ? A_YEAR : "no-cache" },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
