import { z } from "zod";
import { openSession } from "./sessions";
import { admitAttempt, forgiveAttempt } from "./throttle";
import { findUserByPassword } from "./users";

const credentialsSchema = z.object({
  email: z.string().trim().toLowerCase().max(254),
  password: z.string().max(1_000),
});

/** Message of the error that a throttled attempt ends with. */
export const THROTTLED = "Throttled";

/**
 * Opens a session for a correct password. The answer and its time are the same for a wrong password and
 * for an unknown or deactivated user.
 * @throws Error THROTTLED
 */
export async function signInWithPassword(
  input: unknown,
  client: { address: string; userAgent: string | null },
): Promise<{ id: string; sessionId: string } | null> {
  const parsed = credentialsSchema.safeParse(input);
  if (!parsed.success) return null;
  const { email, password } = parsed.data;
  const attempt = { email, address: client.address };
  if (!(await admitAttempt(attempt))) throw new Error(THROTTLED);
  const user = await findUserByPassword(email, password);
  if (!user) return null;
  await forgiveAttempt(attempt);
  return { id: user.id, sessionId: await openSession(user.id, client.address, client.userAgent) };
}
