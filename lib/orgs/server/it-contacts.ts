import type { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import type { ItContact } from "@/lib/generated/prisma/client";
import { type ListPage, type ListQuery, readListPage } from "@/lib/http/list-page";
import { newId } from "@/lib/ids";
import type { invitationSchema, itContactSchema } from "../schema";

/** People of an organization who set things up. Invitations are kept, not sent: we have no mail. */

const toWire = (row: ItContact) => ({
  object: "it_contact",
  id: row.id,
  email: row.email,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

const notFound = (id: string) =>
  new AppError("not_found", `IT contact not found: '${id}'.`, { details: { entity_id: id } });

export function listItContacts(
  { organizationId }: Scope,
  query: ListQuery,
): Promise<ListPage<object>> {
  return readListPage(
    query,
    ({ from, direction, limit }) =>
      getPrisma().itContact.findMany({
        where: {
          organizationId,
          ...(from ? { id: direction === "asc" ? { gt: from } : { lt: from } } : {}),
        },
        orderBy: { id: direction },
        take: limit,
      }),
    toWire,
  );
}

/** @throws AppError conflict when the organization has this contact already. */
export async function createItContact(
  { organizationId }: Scope,
  { email }: z.infer<typeof itContactSchema>,
): Promise<object> {
  const id = newId("itContact");
  const { count } = await getPrisma().itContact.createMany({
    data: [{ organizationId, id, email }],
    skipDuplicates: true,
  });
  if (count === 0) throw new AppError("conflict", `${email} is an IT contact already.`);
  const row = await getPrisma().itContact.findUniqueOrThrow({
    where: { organizationId_id: { organizationId, id } },
  });
  return toWire(row);
}

const one = ({ organizationId }: Scope, id: string) => {
  if (id.includes("\0")) throw notFound(id);
  return { organizationId, id };
};

/** @throws AppError not_found */
export async function deleteItContact(scope: Scope, id: string): Promise<void> {
  const { count } = await getPrisma().itContact.deleteMany({ where: one(scope, id) });
  if (count === 0) throw notFound(id);
}

/**
 * Opens the contact's invitation, or with no intents ends it.
 * @throws AppError not_found; conflict when another contact has the organization's one active invitation.
 */
export async function setInvitation(
  scope: Scope,
  id: string,
  { intents }: z.infer<typeof invitationSchema> | { intents: [] },
): Promise<object> {
  const prisma = getPrisma();
  try {
    const { count } = await prisma.itContact.updateMany({
      where: one(scope, id),
      data: { invitedIntents: intents, updatedAt: new Date() },
    });
    if (count === 0) throw notFound(id);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "P2002") throw error;
    throw new AppError("conflict", "This organization has an active invitation already.");
  }
  return toWire(await prisma.itContact.findFirstOrThrow({ where: one(scope, id) }));
}
