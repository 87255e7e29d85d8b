import { z } from "zod";
import { handlerScope, renewScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { type EventSearch, timeBounds } from "@/lib/events/filter/url";
import { recordSearch } from "@/lib/events/server/record-read";
import { searchOf } from "@/lib/events/server/search-of";
import { readHeadSeq, readTail, type TailRequest } from "@/lib/events/server/tail";
import { streamTail } from "@/lib/events/server/tail-stream";
import { whyNoTail } from "@/lib/events/tail";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { parseInput } from "@/lib/http/parse-input";

const PLACE = "handler:/o/[org]/events/tail";

const NOT_STORED = { "Cache-Control": "no-store, no-transform" };

const cursorSchema = z.object({ from_seq: z.coerce.number().int().min(-1) });

function parseTail(request: Request): { search: EventSearch; tail: TailRequest; after: number } {
  const { searchParams } = new URL(request.url);
  const search = searchOf(searchParams);
  const refusal = whyNoTail(search);
  if (refusal) throw new AppError("invalid_request", refusal);
  const { filter, time } = search;
  const from_seq = request.headers.get("last-event-id") || searchParams.get("from_seq") || NaN;
  return {
    search,
    tail: { filter, from: () => timeBounds(time, Date.now()).from },
    after: parseInput(cursorSchema, { from_seq }).from_seq,
  };
}

/**
 * What arrives after the number `from_seq` (or `Last-Event-ID`) and matches the page's `q` and `range`, as
 * server-sent events (lib/events/server/tail-stream.ts); with `poll=1` what has arrived, as one TailStep.
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/tail", org);
    const { search, tail, after } = parseTail(request);
    await recordSearch(scope, search, { isFollowUp: true });
    if (new URL(request.url).searchParams.get("poll") === "1") {
      const head = await readHeadSeq(scope);
      return jsonResponse(200, await readTail(scope, tail, after, head), NOT_STORED);
    }
    const stream = streamTail(scope, tail, after, (held) => renewScope(PLACE, held));
    return new Response(stream, {
      headers: {
        "Content-Type": "text/event-stream; charset=utf-8",
        // Neither a proxy nor compression may hold messages back.
        "X-Accel-Buffering": "no",
        ...NOT_STORED,
      },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
