import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import type { DeadLetter, StreamLane } from "../schema";
import { changeStream } from "./audit";
import { insertLane } from "./lanes";

/** Events that a receiver refused on their own. */

const SHOWN = 100;

/** The newest of them, and why. */
export async function listDeadLetters(
  { organizationId }: Scope,
  streamId: string,
): Promise<DeadLetter[]> {
  const { rows } = await readPool().query<{
    seq: number;
    reason: string;
    created_at: Date;
    lane: string | null;
  }>(
    `SELECT seq, reason, created_at, lane FROM dead_letters
     WHERE organization_id = $1 AND stream_id = $2 AND discarded_at IS NULL
     ORDER BY seq DESC LIMIT $3`,
    [organizationId, streamId, SHOWN],
  );
  return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: created_at.toISOString() }));
}

/**
 * Sends what was set aside once more, in order: all of it, or the events named.
 * @throws AppError conflict when none of them waits
 */
export async function redrive(
  scope: Scope,
  { id, seqs }: { id: string; seqs?: number[] | undefined },
): Promise<StreamLane> {
  return changeStream(scope, id, "redrive_started", async (client) => {
    const lane = newId("lane");
    const { rows } = await client.query<{ events: number; first: number; last: number }>(
      `WITH taken AS (
         UPDATE dead_letters SET lane = $3
         WHERE organization_id = $1 AND stream_id = $2 AND lane IS NULL AND discarded_at IS NULL
           AND ($4::bigint[] IS NULL OR seq = ANY($4)) RETURNING seq)
       SELECT count(*) AS events, min(seq) AS first, max(seq) AS last FROM taken`,
      [scope.organizationId, id, lane, seqs ?? null],
    );
    const { events = 0, first = 0, last = 0 } = rows[0] ?? {};
    if (events === 0)
      throw new AppError("conflict", "None of these events is set aside, or they are being sent.");
    const range = { lane, kind: "redrive" as const, fromSeq: first, toSeq: last + 1 };
    return {
      result: await insertLane(client, scope, id, { ...range, ratePerSecond: null }),
      metadata: { lane, events: String(events), from_seq: String(first), to_seq: String(last + 1) },
    };
  });
}

/** As much text as a metadata value may hold. */
const VALUE_LENGTH = 500;

/**
 * Gives events up that were set aside, those named or all that wait; they stay in the log, and are not sent.
 * @returns how many
 * @throws AppError not_found when none of them is set aside
 */
export async function discardDeadLetters(
  scope: Scope,
  { id, seqs }: { id: string; seqs?: number[] | undefined },
): Promise<number> {
  return changeStream(scope, id, "dead_letters_discarded", async (client) => {
    const { rows } = await client.query<{ seq: number }>(
      `UPDATE dead_letters SET discarded_at = now(), lane = NULL
       WHERE organization_id = $1 AND stream_id = $2 AND discarded_at IS NULL
         AND CASE WHEN $3::bigint[] IS NULL THEN lane IS NULL ELSE seq = ANY($3) END
       RETURNING seq`,
      [scope.organizationId, id, seqs ?? null],
    );
    const gone = rows.map(({ seq }) => seq).sort((left, right) => left - right);
    if (gone.length === 0) throw new AppError("not_found", "None of these events is set aside.");
    if (!seqs) {
      // However many: all that waited in this range.
      const range = { from_seq: String(gone[0]), to_seq: String(gone.at(-1)) };
      return { result: gone.length, metadata: { events: String(gone.length), ...range } };
    }
    // Every one by its number, in as many values as that takes.
    const lines: string[] = [""];
    for (const seq of gone) {
      const line = `${lines.at(-1)} ${seq}`.trim();
      if (line.length > VALUE_LENGTH) lines.push(String(seq));
      else lines[lines.length - 1] = line;
    }
    const named = lines.map((line, at) => [at === 0 ? "seqs" : `seqs_${at + 1}`, line]);
    return {
      result: gone.length,
      metadata: { events: String(gone.length), ...Object.fromEntries(named) },
    };
  });
}
