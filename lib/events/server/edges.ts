import type { Scope } from "@/lib/auth/scope";
import { EMPTY_FILTER } from "../filter/ast";
import { BEGINNING } from "./cursor";
import { listEvents, type PageRequest } from "./list";

/**
 * When the oldest and the newest event happened that somebody sees of a log, ISO, as far as a bounded search
 * reaches; null where it finds none.
 */
export async function readSeenEdges(
  scope: Scope,
): Promise<{ oldest: string; newest: string } | null> {
  const end = async (page: PageRequest) => {
    const found = await listEvents(scope, { filter: EMPTY_FILTER, limit: 1, ...page });
    return found.rows[0]?.occurredAt ?? found.searchedTo;
  };
  const [newest, oldest] = await Promise.all([end({}), end({ before: BEGINNING })]);
  return newest && oldest && oldest <= newest ? { newest, oldest } : null;
}
