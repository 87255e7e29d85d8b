import type { Scope } from "@/lib/auth/scope";
import { translated } from "@/lib/db/explain";
import { getPrisma } from "@/lib/db/prisma";

/** Whether an application has sent any event: what the log says of itself, such as who joined, does not count. */
export async function hasSentEvents(scope: Scope): Promise<boolean> {
  // Who sees a part of the log is not told what the rest of it holds.
  if (scope.sight) return true;
  const { organizationId } = scope;
  const event = await translated(() =>
    getPrisma().event.findFirst({
      where: {
        organizationId,
        OR: [{ action: { lt: "trailseal." } }, { action: { gte: "trailseal/" } }],
      },
      select: { seq: true },
    }),
  );
  return event !== null;
}
