import NextAuth from "next-auth";
import { log } from "@/lib/log";
import { authOptionsFor } from "@/lib/sso/server/auth-options";
import { IssuerError } from "@/lib/sso/server/discovery";

type Context = { params: Promise<{ nextauth: string[] }> };

/** Built for each request: its secret is read when the server runs, and identity providers are rows. */
async function handler(request: Request, context: Context): Promise<Response> {
  const { nextauth } = await context.params;
  try {
    const options = await authOptionsFor(nextauth, request);
    return await (NextAuth(options)(request, context) as Promise<Response>);
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
    log().warn({ err: error, id: nextauth[1] }, "an identity provider could not be asked");
    const url = "/sign-in?error=OAuthSignin";
    return request.method === "POST"
      ? Response.json({ url })
      : new Response(null, { status: 302, headers: { Location: url } });
  }
}

export { handler as GET, handler as POST };
