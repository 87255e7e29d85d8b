import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { verdictSchema } from "../schema";

/** How far an organization's log reaches. */
export async function readLogHead(scope: Scope): Promise<{ nextSeq: number }> {
  const head = await getPrisma().logHead.findUnique({
    where: { organizationId: scope.organizationId },
    select: { nextSeq: true },
  });
  return { nextSeq: Number(head?.nextSeq ?? 0) };
}

/**
 * The last event that the newest finished verification proved: all it checked, or what stands before the
 * first break. Null: nothing is proven.
 */
export async function readVerifiedTo(scope: Scope): Promise<number | null> {
  const run = await getPrisma().job.findFirst({
    where: { organizationId: scope.organizationId, kind: "verify", state: "succeeded" },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    select: { result: true },
  });
  const verdict = verdictSchema.safeParse(run?.result);
  if (!verdict.success) return null;
  const { ok, last_seq: lastSeq, first_bad_seq: firstBadSeq, first_seq: firstSeq } = verdict.data;
  if (ok) return lastSeq;
  return firstBadSeq !== null && firstBadSeq > firstSeq ? firstBadSeq - 1 : null;
}
