import { z } from "zod";
import { AppError } from "@/lib/errors";

/** A place in a list ordered by (occurred_at, seq); rows at it are on neither side. */
export interface Position {
  /** Epoch milliseconds. */
  occurredAtMs: number;
  seq: number;
}

const positionSchema = z.tuple([
  // The years 1 to 9999.
  z.number().int().min(-62_135_596_800_000).max(253_402_300_799_999),
  z.number().int().min(-1).max(Number.MAX_SAFE_INTEGER),
]);

/** Opaque and safe in a URL. */
export function encodeCursor({ occurredAtMs, seq }: Position): string {
  return Buffer.from(JSON.stringify([occurredAtMs, seq])).toString("base64url");
}

/** The place before everything at a time. */
export function beforeTime(iso: string): string {
  return encodeCursor({ occurredAtMs: Date.parse(iso), seq: -1 });
}

/** For `before`: the oldest events. */
export const BEGINNING = beforeTime("0001-01-01T00:00:00.000Z");

/** For `after`: a list that begins with this event. */
export function cursorBefore(event: { occurredAt: string; seq: number }): string {
  return encodeCursor({ occurredAtMs: Date.parse(event.occurredAt), seq: event.seq + 1 });
}

/** @throws AppError invalid_request for anything that encodeCursor did not make */
export function decodeCursor(cursor: string): Position {
  try {
    const text = Buffer.from(cursor, "base64url").toString("utf8");
    const [occurredAtMs, seq] = positionSchema.parse(JSON.parse(text));
    return { occurredAtMs, seq };
  } catch (cause) {
    throw new AppError("invalid_request", "This page's position is not valid.", { cause });
  }
}
