import type pg from "pg";
import { canonicalize } from "@/lib/chain/canonical";
import { sha256 } from "@/lib/chain/sha256";
import { translated } from "@/lib/db/explain";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { jsonResponse } from "./error-response";

const LIFETIME = "24 hours";
const MAX_KEY_LENGTH = 1_024;

interface Answer {
  status: number;
  body: object;
}

/** @throws AppError invalid_request for one that is too long. */
export function idempotencyKeyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key") || null;
  if (key && key.length > MAX_KEY_LENGTH) {
    throw new AppError(
      "invalid_request",
      `Idempotency-Key must be at most ${MAX_KEY_LENGTH} characters.`,
    );
  }
  return key;
}

function hashOf(body: unknown): Buffer {
  try {
    // What a schema left undefined is not there.
    return sha256(canonicalize(JSON.parse(JSON.stringify(body))));
  } catch (error) {
    // Lone surrogates, or deeper than the stack.
    throw new AppError("invalid_request", "The request body cannot be compared with others.", {
      cause: error,
    });
  }
}

/**
 * Answers a POST that makes something: the same Idempotency-Key with the same body, of the same API key on
 * the same path, is answered once more with what it was answered within 24 hours; copies in flight wait for
 * each other. Refusals are not kept. (Events have semantics of their own: lib/events/server/ingest.ts.)
 * @param body what was parsed of it.
 * @param work runs in the transaction that keeps the answer, on its client where it writes SQL itself.
 * @throws AppError invalid_request for a key that came with another body.
 */
export async function answerOnce(
  request: Request,
  apiKey: { id: string },
  body: unknown,
  work: (client: pg.PoolClient) => Promise<Answer>,
): Promise<Response> {
  const key = idempotencyKeyOf(request);
  const answer = await translated(() =>
    inTransaction(writePool(), (client) =>
      key === null
        ? work(client)
        : once(
            client,
            key,
            sha256(`${apiKey.id}\n${new URL(request.url).pathname}\n${key}`),
            hashOf(body),
            work,
          ),
    ),
  );
  return jsonResponse(answer.status, answer.body);
}

async function once(
  client: pg.PoolClient,
  key: string,
  keyHash: Buffer,
  requestHash: Buffer,
  work: (client: pg.PoolClient) => Promise<Answer>,
): Promise<Answer> {
  await client.query("SELECT pg_advisory_xact_lock($1)", [keyHash.readBigInt64BE()]);
  const { rows } = await client.query<Answer & { request_hash: Buffer }>(
    "SELECT request_hash, status, body FROM answered_requests WHERE key_hash = $1 AND expires_at > now()",
    [keyHash],
  );
  if (rows[0] && !rows[0].request_hash.equals(requestHash)) {
    throw new AppError(
      "invalid_request",
      `Another idempotency key (${key}) with different request parameters was found. Please use a different idempotency key.`,
    );
  }
  if (rows[0]) return rows[0];
  const answer = await work(client);
  await client.query(
    `INSERT INTO answered_requests (key_hash, request_hash, status, body, expires_at)
     VALUES ($1, $2, $3, $4, now() + $5::interval)
     ON CONFLICT (key_hash) DO UPDATE SET request_hash = EXCLUDED.request_hash,
       status = EXCLUDED.status, body = EXCLUDED.body, expires_at = EXCLUDED.expires_at`,
    [keyHash, requestHash, answer.status, JSON.stringify(answer.body), LIFETIME],
  );
  return answer;
}

/** Housekeeping: answers whose 24 hours are over. */
export async function deleteOldAnswers(): Promise<void> {
  await writePool().query("DELETE FROM answered_requests WHERE expires_at < now()");
}
