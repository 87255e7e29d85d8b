import { isConnectionFailure } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { Prisma } from "@/lib/generated/prisma/client";

/**
 * Runs one read through the Prisma client. Values go as parameters of an unnamed statement, so that every
 * organization gets a plan for its own size. Cells arrive as JSON: no bigint, no bytea, no time.
 * @throws AppError timeout or unavailable; anything else as the client threw it
 */
export async function readRows<Row>(sql: Prisma.Sql): Promise<Row[]> {
  // One JSON text instead of cells: the client spends longer on a hundred rows than the database does.
  const wrapped = Prisma.sql`SELECT coalesce(json_agg(row), '[]')::text AS rows FROM (${sql}) AS row`;
  const [result] = await translated(() => getPrisma().$queryRaw<{ rows: string }[]>(wrapped));
  return JSON.parse(result?.rows ?? "[]") as Row[];
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
  if (chain.some(isConnectionFailure) || codes.some((code) => UNREACHABLE.has(String(code))))
    return new AppError("unavailable", "The database cannot be reached.", { cause: error });
  return error;
}

/** What the client's driver adapter makes of socket errors and of a server that takes no more. */
const UNREACHABLE = new Set([
  "DatabaseNotReachable",
  "ConnectionClosed",
  "SocketTimeout",
  "TlsConnectionError",
  "TooManyConnections",
]);

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
