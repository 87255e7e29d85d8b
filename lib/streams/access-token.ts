import { z } from "zod";
import type { Reply } from "./destination";
import { answerOf } from "./request";

/** Tokens are replaced this long before they end. */
const EARLY_S = 300;

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number() });

/** The token of a successful answer (RFC 6749 §5.1), for `Transport.cached`; null for any other answer. */
export function tokenOf(reply: Reply): { value: string; expiresAt: Date } | null {
  const given = reply.status === 200 ? answerOf(reply, tokenSchema) : null;
  if (!given) return null;
  const lifeS = Math.max(given.expires_in - EARLY_S, given.expires_in / 2);
  return { value: given.access_token, expiresAt: new Date(Date.now() + lifeS * 1_000) };
}
