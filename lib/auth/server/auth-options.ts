import type { NextAuthOptions } from "next-auth";
import CredentialsProvider from "next-auth/providers/credentials";
import { getEnv, publicUrl } from "@/lib/env";
import { currentRequest } from "@/lib/http/request-context";
import { log } from "@/lib/log";
import { readSecret } from "@/lib/secrets";
import { revokeSession, sessionLimits } from "./sessions";
import { SignInRefused, signIn } from "./sign-in";

declare module "next-auth" {
  interface User {
    sessionId: string;
  }
  interface Session {
    sessionId?: string;
  }
}

declare module "next-auth/jwt" {
  interface JWT {
    sessionId?: string;
  }
}

let options: NextAuthOptions | undefined;

/** Sessions are rows of ours; the signed cookie only names one, so that it can be revoked. */
export function authOptions(): NextAuthOptions {
  options ??= {
    secret: readSecret("session"),
    useSecureCookies: publicUrl(getEnv()).startsWith("https:"),
    session: { strategy: "jwt", maxAge: sessionLimits().maxMs / 1_000 },
    pages: { signIn: "/sign-in", error: "/sign-in" },
    providers: [
      CredentialsProvider({
        credentials: { email: {}, password: {}, code: {} },
        async authorize(input, request) {
          const { clientAddress = "unknown" } = currentRequest() ?? {};
          const userAgent = (request.headers?.["user-agent"] as string | undefined) ?? null;
          try {
            return await signIn(input, { address: clientAddress, userAgent });
          } catch (error) {
            // The message of whatever is thrown here goes to the browser.
            if (error instanceof SignInRefused) throw error;
            log().error({ err: error }, "signing in failed");
            throw new Error("Failed");
          }
        },
      }),
    ],
    events: {
      async signOut({ token }) {
        if (token?.sessionId) await revokeSession(token.sessionId);
      },
    },
    callbacks: {
      jwt({ token, user }) {
        if (user) token.sessionId = user.sessionId;
        return token;
      },
      session({ session, token }) {
        session.sessionId = token.sessionId;
        return session;
      },
    },
  };
  return options;
}
