import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { isConnectionFailure } from "./pool";

const RETRY_AFTER_S = 2;

/** What Prisma's driver adapter makes of socket errors and of a server that takes no more. */
const UNREACHABLE = new Set([
  "DatabaseNotReachable",
  "ConnectionClosed",
  "SocketTimeout",
  "TlsConnectionError",
  "TooManyConnections",
]);

/** Out of room or connections (class 53), read-only (25006), shutting down (57P), I/O error (58). */
const NOT_NOW = /^(53|25006|57P|58)/;

/** Runs a statement and turns what the database's state explains into an AppError. */
export async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw explainDatabaseError(error);
  }
}

/**
 * For what stands before an event is taken: a database that is gone or slow is no verdict on it, its client
 * shall send the same again.
 */
export async function unlessAway<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await translated(run);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(
      "unavailable",
      "The log cannot take events right now. Send the same request again.",
      { retryAfterS: RETRY_AFTER_S, cause: error },
    );
  }
}

/** @returns AppError timeout or unavailable; anything else as it came. */
export function explainDatabaseError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const chain = causesOf(error);
  const codes = chain.flatMap(({ code, originalCode, kind }) => [code, originalCode, kind]);
  if (codes.includes("57014")) {
    const seconds = Math.round(getEnv().TRAILSEAL_STATEMENT_TIMEOUT_MS / 100) / 10;
    return new AppError(
      "timeout",
      `The database did not answer in ${seconds} s. A shorter time range, or a filter on an actor, action, target or IP, reads less.`,
      { cause: error },
    );
  }
  const isAway =
    chain.some(isConnectionFailure) ||
    codes.some((code) => UNREACHABLE.has(String(code)) || NOT_NOW.test(String(code)));
  if (!isAway) return error;
  return new AppError("unavailable", "The database cannot be reached.", {
    cause: error,
    retryAfterS: RETRY_AFTER_S,
  });
}

/** An error and what caused it: the client wraps the adapter's error, which describes the driver's. */
function causesOf(error: unknown, depth = 0): Record<string, unknown>[] {
  if (typeof error !== "object" || error === null || depth > 4) return [];
  const { cause, meta } = error as Record<string, unknown>;
  const adapted = (meta as Record<string, unknown> | undefined)?.driverAdapterError;
  return [
    error as Record<string, unknown>,
    ...causesOf(cause, depth + 1),
    ...causesOf(adapted, depth + 1),
  ];
}
