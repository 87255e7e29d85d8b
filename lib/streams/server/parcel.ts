import { createHash } from "node:crypto";
import { newUlid } from "@/lib/ids";
import { log } from "@/lib/log";
import type { Frame, Outcome, StreamEvent } from "../destination";
import { problem } from "../problems";
import type { LastError, Problem } from "../schema";
import { classifyFailure, sanitise } from "./failures";
import type { Attempt, Lease } from "./lease";
import type { LoadedStream } from "./load-stream";
import type { Piece, Source } from "./read-batch";
import { GuardedTransport } from "./transport";

const MESSAGE_LENGTH = 500;
const LONGEST_MESSAGE = 2_000;

/** A range with the request that holds it. */
export interface Parcel extends Piece {
  /** Null: nothing is to be sent, or an event of it cannot be written in the stream's format. */
  frame: Frame | null;
  refusal: Outcome | null;
}

export interface Answer {
  outcome: Outcome;
  attempt: Attempt;
}

export const seqOf = ({ seq }: StreamEvent): number => seq as number;
export const seqsOf = (events: StreamEvent[]) => events.map(seqOf);
/** What a receiver says may be part of it, and hold what no column takes. */
export const lastError = (cause: Problem, reply: string | null): LastError => ({
  ...cause,
  code: sanitise(cause.code),
  message: sanitise(cause.message, LONGEST_MESSAGE),
  at: new Date().toISOString(),
  reply,
});

/**
 * The request for what was read; for the first of it, when that is all that fits.
 * @param name of what has no range, in its delivery id
 */
export function pack(
  read: Piece,
  source: Source,
  stream: LoadedStream,
  lease: Lease,
  name?: string,
): Parcel {
  const frameOf = ({ events }: Piece): Frame => {
    const range = name ?? `${events[0]?.seq}-${events.at(-1)?.seq}`;
    const deliveryId = [...deliveryPrefix(stream, lease), range].join("_");
    const batch = { events, deliveryId, sentAt: new Date(), format: stream.format };
    return stream.destination.frame(batch, stream.secrets);
  };
  try {
    let piece = read;
    let frame = frameOf(piece);
    if (frame.count < piece.events.length) {
      piece = source.piece(frame.count);
      // The delivery id names the range, so it is framed again once the range is known.
      frame = frameOf(piece);
    }
    return { ...piece, frame, refusal: null };
  } catch (error) {
    log().error({ err: error, stream_id: lease.streamId }, "events cannot be framed");
    const cause = problem(
      "not_writable",
      "The event cannot be written in this stream's format.",
      "Choose another format and send it again. Please report this: it is a fault of Trailseal.",
    );
    return { ...read, frame: null, refusal: { kind: "split", problem: cause } };
  }
}

/** What tells a range that is sent again on purpose from a copy: receivers drop copies. */
function deliveryPrefix({ filterText }: LoadedStream, { streamId, lane, rewinds }: Lease) {
  const filter = createHash("sha256").update(filterText).digest("hex").slice(0, 8);
  return [
    "msg",
    streamId.replace(/^als_/, ""),
    ...(lane === "live" ? [] : [lane.replace(/^lane_/, "")]),
    ...(rewinds === 0 ? [] : [`r${rewinds}`]),
    ...(filterText === "" ? [] : [filter]),
  ];
}

/** Never throws: what fails on the way is an outcome too. */
export async function send(
  { events, fromSeq, toSeq, frame, refusal }: Parcel,
  stream: LoadedStream,
  lease: Lease,
  deadlineMs: number,
): Promise<Answer> {
  const transport = new GuardedTransport(`${lease.streamId} ${stream.version}`, deadlineMs);
  const outcome: Outcome =
    frame === null
      ? (refusal as Outcome)
      : await stream.destination.send(frame, stream.secrets, transport).catch(classifyFailure);
  const rejected = outcome.kind === "rejected" ? outcome.rejected : [];
  const cause =
    "problem" in outcome
      ? outcome.problem
      : outcome.kind === "delivered"
        ? outcome.warning
        : rejected[0]?.problem;
  return {
    outcome,
    attempt: {
      id: newUlid(),
      ...{ fromSeq, toSeq },
      seqs: lease.kind === "redrive" ? seqsOf(events) : null,
      events: events.length,
      bytes: frame ? (frame.bytes?.length ?? Buffer.byteLength(frame.body)) : 0,
      outcome: outcome.kind,
      status: transport.reply?.status ?? null,
      latencyMs: transport.elapsedMs,
      code: cause ? sanitise(cause.code) : null,
      message: cause ? sanitise(cause.message, MESSAGE_LENGTH) : null,
      reply: transport.reply && sanitise(transport.reply.body),
      taken: takenOf(events, outcome),
    },
  };
}

function takenOf(events: StreamEvent[], outcome: Outcome): number {
  // A checkpoint is no event of the log.
  if (events[0]?.kind === "checkpoint") return 0;
  switch (outcome.kind) {
    case "delivered":
      return events.length;
    case "rejected":
      return events.length - outcome.rejected.length;
    case "partial":
      return outcome.accepted;
    default:
      return 0;
  }
}
