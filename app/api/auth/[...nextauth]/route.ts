import NextAuth from "next-auth";
import { authOptions } from "@/lib/auth/server/auth-options";

type Context = { params: Promise<{ nextauth: string[] }> };

/** Built on the first request, since its secret is read when the server runs, not when it is built. */
function handler(request: Request, context: Context): Promise<Response> {
  return NextAuth(authOptions())(request, context) as Promise<Response>;
}

export { handler as GET, handler as POST };
