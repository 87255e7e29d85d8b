import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { cursorMoveWords } from "../cursor-words";
import type { StreamSummary } from "../schema";
import type { MoveCursorInput } from "../work-schema";
import { changeStream } from "./audit";
import { getStream } from "./streams";

/**
 * Lets live delivery go on at another event. Backwards sends again, with what was set aside there; forwards skips.
 * A request that is under way then counts for nothing.
 * @throws AppError invalid_request for a place that the log does not hold, conflict for the present one
 */
export async function moveCursor(scope: Scope, input: MoveCursorInput): Promise<StreamSummary> {
  const { id, toSeq, reason } = input;
  const key = [scope.organizationId, id];
  await changeStream(scope, id, "cursor_moved", async (client) => {
    const { rows } = await client.query<{
      cursor_seq: number;
      first_seq: number;
      next_seq: number;
    }>(
      `SELECT t.cursor_seq, h.first_seq, h.next_seq FROM stream_state t
       JOIN log_heads h ON h.organization_id = t.organization_id
       WHERE t.organization_id = $1 AND t.stream_id = $2 AND t.lane = 'live' FOR UPDATE OF t`,
      key,
    );
    const { cursor_seq: fromSeq = 0, first_seq: first = 0, next_seq: next = 0 } = rows[0] ?? {};
    if (toSeq < first || toSeq > next) {
      const code = `The log holds #${first} to #${next - 1}: choose one of these, or #${next} for what comes next.`;
      throw new AppError("invalid_request", code, { errors: [{ field: "toSeq", code }] });
    }
    if (toSeq === fromSeq) throw new AppError("conflict", cursorMoveWords(fromSeq, toSeq));
    await client.query(
      `UPDATE stream_state SET cursor_seq = $3, inflight_to_seq = NULL, next_attempt_at = now(),
         rewinds = rewinds + CASE WHEN $3 < cursor_seq THEN 1 ELSE 0 END,
         skipped = CASE WHEN $3 > cursor_seq THEN skipped + int8multirange(int8range(cursor_seq, $3))
           ELSE skipped * int8multirange(int8range(NULL, $3)) END
       WHERE organization_id = $1 AND stream_id = $2 AND lane = 'live'`,
      [...key, toSeq],
    );
    // They are judged anew.
    await client.query(
      "DELETE FROM dead_letters WHERE organization_id = $1 AND stream_id = $2 AND seq >= $3",
      [...key, toSeq],
    );
    const metadata = {
      from_seq: String(fromSeq),
      to_seq: String(toSeq),
      effect: cursorMoveWords(fromSeq, toSeq),
      reason,
    };
    return { result: undefined, metadata };
  });
  return getStream(scope, id);
}
