import type { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { endLinks, mailContact } from "@/lib/auth/server/portal-links";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import type { ItContact } from "@/lib/generated/prisma/client";
import { type ListPage, type ListQuery, readListPage } from "@/lib/http/list-page";
import { newId } from "@/lib/ids";
import type { invitationSchema, itContactSchema } from "../schema";

/** People of an organization who set things up. Who is invited to set up streams gets a portal link by mail. */

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

type Client = Parameters<Parameters<typeof inTransaction>[1]>[0];

/**
 * Changes one contact, and seals that, with what goes along with it; null: there is no such contact, or it is there
 * already.
 */
async function changing(
  scope: Scope,
  what: string,
  statement: string,
  values: unknown[],
  along: (client: Client, contact: ItContact) => Promise<void> = async () => {},
): Promise<object | null> {
  return inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<ItContact>(
      `${statement} RETURNING id, email, invited_intents AS "invitedIntents", created_at AS "createdAt",
         updated_at AS "updatedAt"`,
      [scope.organizationId, ...values],
    );
    const [row] = rows;
    if (!row) return null;
    // Whoever waits for the log's head holds nothing that its holder may want.
    await along(client, row);
    await appendControlEvent(client, scope, {
      action: `trailseal.it_contact_${what}`,
      targets: [{ type: "it_contact", id: row.id, name: row.email }],
      metadata: row.invitedIntents.length > 0 ? { intents: row.invitedIntents.join(" ") } : {},
    });
    return toWire(row);
  });
}

/** @throws AppError conflict when the organization has this contact already. */
export async function createItContact(
  scope: Scope,
  { email }: z.infer<typeof itContactSchema>,
): Promise<object> {
  const made = await changing(
    scope,
    "added",
    "INSERT INTO it_contacts (organization_id, id, email) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [newId("itContact"), email],
  );
  if (!made) throw new AppError("conflict", `${email} is an IT contact already.`);
  return made;
}

/** PostgreSQL takes no U+0000. */
const storable = (id: string) => (id.includes("\0") ? "" : id);

/** @throws AppError not_found */
export async function deleteItContact(scope: Scope, id: string): Promise<void> {
  const statement = "DELETE FROM it_contacts WHERE organization_id = $1 AND id = $2";
  const removed = await changing(scope, "removed", statement, [storable(id)], (client) =>
    endLinksOf(client, scope, id),
  );
  if (!removed) throw notFound(id);
}

const endLinksOf = async (client: Client, scope: Scope, id: string) => {
  await endLinks(client, scope, "it_contact_id", id);
};

/**
 * Opens the contact's invitation and mails them a link, or with no intents ends it, its link and what that opened.
 * @throws AppError not_found; conflict when another contact has the organization's one active invitation.
 */
export async function setInvitation(
  scope: Scope,
  id: string,
  { intents }: z.infer<typeof invitationSchema> | { intents: [] },
): Promise<object> {
  const changed = await changing(
    scope,
    intents.length > 0 ? "invited" : "invitation_revoked",
    "UPDATE it_contacts SET invited_intents = $3, updated_at = now() WHERE organization_id = $1 AND id = $2",
    [storable(id), intents],
    // Of what somebody may be invited to set up, streams are what there is here.
    (client, contact) =>
      contact.invitedIntents.includes("log_streams")
        ? mailContact(client, scope, contact)
        : endLinksOf(client, scope, id),
  ).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== "23505") throw error;
    throw new AppError("conflict", "This organization has an active invitation already.");
  });
  if (!changed) throw notFound(id);
  return changed;
}
