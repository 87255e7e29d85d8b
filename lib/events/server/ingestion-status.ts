import type { Scope } from "@/lib/auth/scope";
import { translated } from "@/lib/db/explain";
import { getPrisma } from "@/lib/db/prisma";

/** Whether the organization's log holds any event. */
export async function hasEvents(scope: Scope): Promise<boolean> {
  const { organizationId } = scope;
  const event = await translated(() =>
    getPrisma().event.findFirst({ where: { organizationId }, select: { seq: true } }),
  );
  return event !== null;
}
