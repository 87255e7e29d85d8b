import { translated } from "@/lib/db/explain";
import { getPrisma } from "@/lib/db/prisma";
import type { Prisma } from "@/lib/generated/prisma/client";

/**
 * Runs one read through the Prisma client. Values go as parameters of an unnamed statement, so that every
 * organization gets a plan for its own size.
 * @throws AppError timeout or unavailable; anything else as the client threw it
 */
export async function readRows<Row>(sql: Prisma.Sql): Promise<Row[]> {
  return translated(() => getPrisma().$queryRaw<Row[]>(sql));
}
