import type { NextAuthOptions } from "next-auth";
import CredentialsProvider from "next-auth/providers/credentials";
import { z } from "zod";
import { getEnv, publicUrl } from "@/lib/env";
import { currentRequest } from "@/lib/http/request-context";
import { readSecret } from "@/lib/secrets";
import { openSession, revokeSession, SESSION_MAX_AGE_S } from "./sessions";
import { admitAttempt, forgiveAttempt } from "./throttle";
import { findUserByPassword } from "./users";

const credentialsSchema = z.object({
  email: z.string().trim().toLowerCase().max(254),
  password: z.string().max(1_000),
});

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

export const THROTTLED = "Throttled";

/** One answer for a wrong password and an unknown e-mail; a throttled one is told to wait. */
export async function authorize(
  input: unknown,
  userAgent: string | null,
): Promise<{ id: string; sessionId: string } | null> {
  const parsed = credentialsSchema.safeParse(input);
  if (!parsed.success) return null;
  const { email, password } = parsed.data;
  const address = currentRequest()?.clientAddress ?? "unknown";
  if (!(await admitAttempt({ email, address }))) throw new Error(THROTTLED);
  const user = await findUserByPassword(email, password);
  if (!user) return null;
  await forgiveAttempt({ email, address });
  return { id: user.id, sessionId: await openSession(user.id, address, userAgent) };
}

let options: NextAuthOptions | undefined;

/** Sessions are rows of ours; the signed cookie only names one, so that it can be revoked. */
export function authOptions(): NextAuthOptions {
  options ??= {
    secret: readSecret("session"),
    useSecureCookies: publicUrl(getEnv()).startsWith("https:"),
    session: { strategy: "jwt", maxAge: SESSION_MAX_AGE_S },
    pages: { signIn: "/sign-in", error: "/sign-in" },
    providers: [
      CredentialsProvider({
        credentials: { email: {}, password: {} },
        authorize: (input, request) =>
          authorize(input, (request.headers?.["user-agent"] as string | undefined) ?? null),
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
