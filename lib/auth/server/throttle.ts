import { createHash } from "node:crypto";
import { readPool } from "@/lib/db/pool";

const WINDOW = "15 minutes";
/** Failures within the window after which a bucket is refused. Addresses are shared by whole offices. */
const LIMIT = { email: 10, address: 50 } as const;

export interface SignInBuckets {
  email: string;
  address: string;
}

/** E-mail addresses that were only guessed are not kept readable. */
function bucketNames(buckets: SignInBuckets): { name: string; limit: number }[] {
  const digest = (text: string) => createHash("sha256").update(text).digest("base64url");
  return [
    { name: `email:${digest(buckets.email)}`, limit: LIMIT.email },
    { name: `address:${digest(buckets.address)}`, limit: LIMIT.address },
  ];
}

export async function isThrottled(buckets: SignInBuckets): Promise<boolean> {
  const names = bucketNames(buckets);
  const { rows } = await readPool().query<{ bucket: string; failures: number }>(
    "SELECT bucket, failures FROM sign_in_attempts WHERE bucket = ANY($1) AND window_start > now() - $2::interval",
    [names.map(({ name }) => name), WINDOW],
  );
  return names.some(({ name, limit }) =>
    rows.some((row) => row.bucket === name && row.failures >= limit),
  );
}

export async function recordFailure(buckets: SignInBuckets): Promise<void> {
  await readPool().query(
    `INSERT INTO sign_in_attempts (bucket, failures, window_start)
     SELECT bucket, 1, now() FROM unnest($1::text[]) AS bucket ORDER BY bucket
     ON CONFLICT (bucket) DO UPDATE SET
       failures = CASE WHEN sign_in_attempts.window_start > now() - $2::interval THEN sign_in_attempts.failures + 1 ELSE 1 END,
       window_start = CASE WHEN sign_in_attempts.window_start > now() - $2::interval THEN sign_in_attempts.window_start ELSE now() END`,
    [bucketNames(buckets).map(({ name }) => name), WINDOW],
  );
}

/** A correct password clears the e-mail's bucket; the address's goes on counting guesses at others. */
export async function clearFailures(buckets: SignInBuckets): Promise<void> {
  const [email] = bucketNames(buckets);
  await readPool().query("DELETE FROM sign_in_attempts WHERE bucket = $1", [email?.name]);
}

/** Housekeeping: buckets whose window is over. */
export async function deleteOldAttempts(): Promise<void> {
  await readPool().query("DELETE FROM sign_in_attempts WHERE window_start < now() - $1::interval", [
    WINDOW,
  ]);
}
