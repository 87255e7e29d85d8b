import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import type { Prisma } from "@/lib/generated/prisma/client";

/**
 * Runs one read through the Prisma client. Values go as parameters of an unnamed statement, so that every
 * organization gets a plan for its own size.
 * @throws AppError timeout or unavailable; anything else as the client threw it
 */
export async function readRows<Row>(sql: Prisma.Sql): Promise<Row[]> {
  return translated(() => getPrisma().$queryRaw<Row[]>(sql));
}

/** Runs a read and turns what the database's state explains into an AppError. */
export async function translated<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  const codes = codesOf(error);
  if (codes.includes("57014")) {
    const seconds = Math.round(getEnv().TRAILSEAL_STATEMENT_TIMEOUT_MS / 100) / 10;
    return new AppError(
      "timeout",
      `The database did not answer in ${seconds} s. A shorter time range, or a filter on an actor, action, target or IP, reads less.`,
      { cause: error },
    );
  }
  if (codes.some((code) => /^(?:08|57P0|53)/.test(code) || UNREACHABLE.has(code)))
    return new AppError("unavailable", "The database cannot be reached.", { cause: error });
  return error;
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "P1001",
  "P1002",
  "P1008",
  "P1017",
  "P2024",
]);

/** SQLSTATE and client codes along an error and what caused it: the client wraps the driver's errors. */
function codesOf(error: unknown, depth = 0): string[] {
  if (typeof error !== "object" || error === null || depth > 4) return [];
  const { code, originalCode, cause, meta } = error as Record<string, unknown>;
  const nested = (meta as Record<string, unknown> | undefined)?.driverAdapterError;
  return [
    ...[code, originalCode].filter((found) => typeof found === "string"),
    ...codesOf(cause, depth + 1),
    ...codesOf(nested, depth + 1),
  ];
}
