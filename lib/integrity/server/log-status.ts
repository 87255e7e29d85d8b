import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { breakOf, readLastVerdict, readWatch } from "./log-watch";

/** How far an organization's log reaches. */
export async function readLogHead(scope: Scope): Promise<{ nextSeq: number }> {
  const head = await getPrisma().logHead.findUnique({
    where: { organizationId: scope.organizationId },
    select: { nextSeq: true },
  });
  return { nextSeq: Number(head?.nextSeq ?? 0) };
}

/** The last event that the continuous check or the newest whole verification proved. Null: nothing is proven. */
export async function readVerifiedTo(scope: Scope): Promise<number | null> {
  const [watch, run] = await Promise.all([readWatch(scope), readLastVerdict(scope)]);
  const seen = Math.max(watch?.checkedTo ?? 0, (run?.last_seq ?? -1) + 1);
  const breaks = [watch?.finding, run && breakOf(run)].flatMap((found) => found ?? []);
  const to = Math.min(seen, ...breaks.map(({ seq }) => seq ?? 0)) - 1;
  return to < 0 ? null : to;
}
