import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import type pg from "pg";
import { readPool } from "@/lib/db/pool";

const WINDOW = "15 minutes";
/** Attempts within the window after which a bucket is refused. Addresses are shared by whole offices. */
const LIMIT = { email: 10, address: 50 } as const;

export interface SignInBuckets {
  /** What was typed, in lower case; of somebody who is signed in the user's id. */
  email: string;
  address: string;
}

/** One customer holds at least a /64 of IPv6: counting single addresses would count nothing. */
export function networkOf(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.split("%", 1)[0]}/64`).toString();
}

/** E-mail addresses that were only guessed are not kept readable. */
const digest = (text: string) => createHash("sha256").update(text).digest("base64url");

/** What counts an attempt. */
export interface Buckets {
  account: string;
  address: string;
}

const ofAccount = (email: string) => `email:${digest(email)}`;

/**
 * Guesses from everywhere count together. A network that the user signed in from before counts for itself, so that
 * whoever guesses elsewhere does not keep its owner out. The price: whoever shares a network with somebody may learn,
 * by when they are refused, that the account was used from it.
 */
async function bucketsOf({ email, address }: SignInBuckets): Promise<Buckets> {
  const network = networkOf(address);
  const { rows } = await readPool().query<{ address: string }>(
    `SELECT DISTINCT s.client_address AS address FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE u.email = $1 AND s.client_address IS NOT NULL`,
    [email],
  );
  const isKnown = rows.some((session) => networkOf(session.address) === network);
  return {
    account: isKnown ? `${ofAccount(email)} ${digest(network)}` : ofAccount(email),
    address: `address:${digest(network)}`,
  };
}

/**
 * Counts an attempt, before its password is looked at: guesses sent side by side count like guesses sent
 * one after the other.
 * @returns null when the e-mail or the client's network has had too many.
 */
export async function admitAttempt(attempt: SignInBuckets): Promise<Buckets | null> {
  const buckets = await bucketsOf(attempt);
  const { rows } = await readPool().query<{ bucket: string; failures: number }>(
    `INSERT INTO sign_in_attempts AS attempts (bucket, failures, window_start)
     SELECT bucket, 1, now() FROM unnest($1::text[]) AS bucket ORDER BY bucket
     ON CONFLICT (bucket) DO UPDATE SET
       failures = CASE WHEN attempts.window_start > now() - $2::interval THEN attempts.failures + 1 ELSE 1 END,
       window_start = CASE WHEN attempts.window_start > now() - $2::interval THEN attempts.window_start ELSE now() END
     RETURNING bucket, failures`,
    [[buckets.account, buckets.address], WINDOW],
  );
  const isAdmitted = rows.every(({ bucket, failures }) => {
    return failures <= (bucket === buckets.account ? LIMIT.email : LIMIT.address);
  });
  return isAdmitted ? buckets : null;
}

/** After a correct password: clears the account's bucket; the network's goes on counting guesses at others. */
export async function forgiveAttempt({ account, address }: Buckets): Promise<void> {
  await readPool().query("DELETE FROM sign_in_attempts WHERE bucket = $1", [account]);
  await readPool().query(
    "UPDATE sign_in_attempts SET failures = greatest(failures - 1, 0) WHERE bucket = $1",
    [address],
  );
}

/** After a password that was right and is only half of what is asked for: the attempt counts for nothing. */
export async function withdrawAttempt(buckets: Buckets): Promise<void> {
  // Locked in the order in which they are counted, so that two do not wait for each other.
  await readPool().query(
    `UPDATE sign_in_attempts SET failures = greatest(failures - 1, 0)
     WHERE bucket IN (SELECT bucket FROM sign_in_attempts WHERE bucket = ANY($1) ORDER BY bucket FOR UPDATE)`,
    [Object.values(buckets)],
  );
}

/** When the operator helps somebody in: what was guessed at their address counts no longer. */
export async function forgetGuesses(client: pg.PoolClient, email: string): Promise<void> {
  await client.query(
    "DELETE FROM sign_in_attempts WHERE bucket = $1 OR starts_with(bucket, $1 || ' ')",
    [ofAccount(email)],
  );
}

/** Whether a failure is the account's first within a window, in the transaction that tells of it. */
export async function isFirstFailure(client: pg.PoolClient, userId: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `INSERT INTO sign_in_attempts AS told (bucket, failures, window_start) VALUES ($1, 1, now())
     ON CONFLICT (bucket) DO UPDATE SET window_start = now() WHERE told.window_start <= now() - $2::interval`,
    [`told:${userId}`, WINDOW],
  );
  return rowCount === 1;
}

/** Housekeeping: buckets whose window is over. */
export async function deleteOldAttempts(): Promise<void> {
  await readPool().query("DELETE FROM sign_in_attempts WHERE window_start < now() - $1::interval", [
    WINDOW,
  ]);
}
