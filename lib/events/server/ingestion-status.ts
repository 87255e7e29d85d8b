import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { translated } from "./read";

/** Whether the organization's log holds any event. */
export async function hasEvents(scope: Scope): Promise<boolean> {
  const { organizationId } = scope;
  const event = await translated(() =>
    getPrisma().event.findFirst({ where: { organizationId }, select: { seq: true } }),
  );
  return event !== null;
}
