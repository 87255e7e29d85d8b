import type { NextAuthOptions } from "next-auth";
import CredentialsProvider from "next-auth/providers/credentials";
import { z } from "zod";
import { getEnv, publicUrl } from "@/lib/env";
import { currentRequest } from "@/lib/http/request-context";
import { readSecret } from "@/lib/secrets";
import { openSession, SESSION_MAX_AGE_S } from "./sessions";
import { clearFailures, isThrottled, recordFailure } from "./throttle";
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
async function authorize(
  input: unknown,
  userAgent: string | null,
): Promise<{ id: string; sessionId: string } | null> {
  const parsed = credentialsSchema.safeParse(input);
  if (!parsed.success) return null;
  const { email, password } = parsed.data;
  const address = currentRequest()?.clientAddress ?? "unknown";
  const buckets = { email, address };
  if (await isThrottled(buckets)) throw new Error(THROTTLED);
  const user = await findUserByPassword(email, password);
  if (!user) {
    await recordFailure(buckets);
    return null;
  }
  await clearFailures(buckets);
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
