import { randomBytes } from "node:crypto";
import type pg from "pg";
import { encode } from "uqr";
import { sha256 } from "@/lib/chain/sha256";
import { readPool, writePool } from "@/lib/db/pool";
import { publicUrl } from "@/lib/env";
import {
  EnvelopeError,
  envelopeSchema,
  openEnvelope,
  rewrapEnvelope,
  sealEnvelope,
} from "@/lib/envelope";
import type { Enrolment, SecondFactor } from "../account";
import { stepOf, toBase32 } from "./totp";

/** The rows of a second factor: whoever calls has looked whose account it is, and has its lock. */

/** RFC 4226 §4 recommends 160 bits. */
const KEY_BYTES = 20;
const RECOVERY_CODES = 10;
/** 80 bits: nobody finds one by trying, so that a plain hash keeps it. */
const RECOVERY_BYTES = 10;

const boundTo = (userId: string) => `second factor|${userId}`;

export async function readSecondFactor(userId: string): Promise<SecondFactor | null> {
  const { rows } = await readPool().query<{ at: Date; codes: number }>(
    `SELECT confirmed_at AS at, (SELECT count(*)::int FROM recovery_codes c WHERE c.user_id = f.user_id) AS codes
     FROM second_factors f WHERE user_id = $1 AND confirmed_at IS NOT NULL`,
    [userId],
  );
  const [row] = rows;
  return row ? { enabledAt: row.at.toISOString(), recoveryCodesLeft: row.codes } : null;
}

export async function hasSecondFactor(client: pg.PoolClient, userId: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL",
    [userId],
  );
  return rowCount === 1;
}

/** Makes a key that asks for nothing before it is confirmed, in place of an earlier one that was not. */
export async function startEnrolment(
  client: pg.PoolClient,
  { id, email }: { id: string; email: string },
): Promise<Enrolment> {
  const key = randomBytes(KEY_BYTES);
  await client.query(
    `INSERT INTO second_factors (user_id, secret) VALUES ($1, $2)
     ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = now(), last_step = 0
     WHERE second_factors.confirmed_at IS NULL`,
    [id, JSON.stringify(sealEnvelope(boundTo(id), key.toString("hex")))],
  );
  const secret = toBase32(key);
  const issuer = `Trailseal ${new URL(publicUrl()).hostname}`;
  const uri = `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(email)}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`;
  const { data, size } = encode(uri, { ecc: "M", border: 4 });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return { secret, uri, qr: { size, path } };
}

/** Uses up a code of the app. @returns false for a wrong or a used one */
async function spendAppCode(
  client: pg.PoolClient,
  userId: string,
  code: string,
  isConfirmed: boolean,
): Promise<boolean> {
  const { rows } = await client.query<{ secret: unknown; last: number }>(
    `SELECT secret, last_step AS last FROM second_factors
     WHERE user_id = $1 AND (confirmed_at IS NOT NULL) = $2`,
    [userId, isConfirmed],
  );
  const [row] = rows;
  if (!row) return false;
  const key = Buffer.from(openEnvelope(boundTo(userId), envelopeSchema.parse(row.secret)), "hex");
  const step = stepOf(key, code, row.last, Date.now());
  if (step === null) return false;
  const { rowCount } = await client.query(
    "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2",
    [userId, step],
  );
  return rowCount === 1;
}

/** What a recovery code is kept as, however it was typed. */
const hashOf = (code: string) => sha256(code.toUpperCase().replace(/[^A-Z2-7]/g, ""));

/**
 * Uses up a code of the app or a recovery code, in the transaction of what it permits.
 * @returns null for a wrong or a used one
 * @throws EnvelopeError for a code of the app while the envelope key is lost
 */
export async function spendCode(
  client: pg.PoolClient,
  userId: string,
  typed: string,
): Promise<"app" | "recovery_code" | null> {
  const code = typed.replace(/[\s-]/g, "");
  if (/^\d{6}$/.test(code)) return (await spendAppCode(client, userId, code, true)) ? "app" : null;
  const { rowCount } = await client.query(
    "DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2",
    [userId, hashOf(code)],
  );
  return rowCount === 1 ? "recovery_code" : null;
}

/** Turns on what was begun, for a right code of it. @returns the recovery codes; null for a wrong code */
export async function confirmEnrolment(
  client: pg.PoolClient,
  userId: string,
  code: string,
): Promise<string[] | null> {
  if (!(await spendAppCode(client, userId, code.replace(/\s/g, ""), false))) return null;
  await client.query("UPDATE second_factors SET confirmed_at = now() WHERE user_id = $1", [userId]);
  return makeRecoveryCodes(client, userId);
}

/** In place of those that there were. @returns them, for the one time that they are shown */
export async function makeRecoveryCodes(client: pg.PoolClient, userId: string): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    (toBase32(randomBytes(RECOVERY_BYTES)).match(/.{4}/g) as string[]).join("-"),
  );
  await client.query("DELETE FROM recovery_codes WHERE user_id = $1", [userId]);
  await client.query(
    "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])",
    [userId, codes.map(hashOf)],
  );
  return codes;
}

/** @returns whether one was turned on. */
export async function deleteSecondFactor(client: pg.PoolClient, userId: string): Promise<boolean> {
  const { rows } = await client.query<{ on: boolean }>(
    `DELETE FROM second_factors WHERE user_id = $1 RETURNING confirmed_at IS NOT NULL AS "on"`,
    [userId],
  );
  return rows[0]?.on ?? false;
}

/**
 * Wraps every key under the present envelope key.
 * @returns how many, and the ids of users whose key none opens: theirs has to be reset.
 */
export async function rewrapSecondFactors(
  kekId: string,
  onStep: (step: string) => void,
): Promise<{ rewrapped: number; unreadable: string[] }> {
  const { rows } = await writePool().query<{ id: string; secret: unknown }>(
    "SELECT user_id AS id, secret FROM second_factors WHERE secret ->> 'kek_id' <> $1 ORDER BY user_id",
    [kekId],
  );
  let rewrapped = 0;
  const unreadable: string[] = [];
  for (const { id, secret } of rows) {
    try {
      const fresh = rewrapEnvelope(boundTo(id), envelopeSchema.parse(secret));
      const { rowCount } = await writePool().query(
        "UPDATE second_factors SET secret = $2 WHERE user_id = $1 AND secret = $3",
        [id, JSON.stringify(fresh), JSON.stringify(secret)],
      );
      rewrapped += rowCount ?? 0;
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      unreadable.push(id);
    }
    onStep(id);
  }
  return { rewrapped, unreadable };
}
