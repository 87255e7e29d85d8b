import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { parseLayout } from "@/lib/events/table-layout";
import type { Prisma } from "@/lib/generated/prisma/client";
import { newId } from "@/lib/ids";
import { MAX_VIEWS, type NewView, type ViewChange, type ViewMark } from "../schema";
import type { OpenView, SavedView, ViewList } from "../view";

const MAX_SHARED_LISTED = 500;

interface ViewRow {
  id: string;
  ownerId: string;
  name: string;
  isShared: boolean;
  search: string;
}

type Marks = { isStarred: boolean; isDefault: boolean } | null | undefined;

/** Views belong to people: neither the command line nor the worker has any. */
function personOf(scope: Scope): string {
  if (scope.principal.kind !== "user")
    throw new AppError("forbidden", "Views belong to people who sign in.");
  return scope.principal.id;
}

const noView = () => new AppError("not_found", "There is no such view.");

/** Of others' views those that are shared, as Prisma asks for them; none within a sight: their searches name what it leaves out. */
const othersShared = ({ sight }: Scope) => ({
  isShared: true,
  ...(sight ? { id: { in: [] } } : {}),
});

/** One's own and the shared. */
function visibleTo(scope: Scope) {
  return {
    organizationId: scope.organizationId,
    OR: [{ ownerId: personOf(scope) }, othersShared(scope)],
  };
}

function describe(row: ViewRow, personId: string, owners: Map<string, string>, marks: Marks) {
  const { id, name, search, isShared, ownerId } = row;
  return {
    id,
    name,
    search,
    isShared,
    isMine: ownerId === personId,
    ownerName: owners.get(ownerId) ?? null,
    isStarred: marks?.isStarred ?? false,
    isDefault: marks?.isDefault ?? false,
  } satisfies SavedView;
}

async function ownersOf(rows: ViewRow[]): Promise<Map<string, string>> {
  const ids = [...new Set(rows.map(({ ownerId }) => ownerId))];
  const users = await getPrisma().user.findMany({
    where: { id: { in: ids } },
    select: { id: true, name: true },
  });
  return new Map(users.map(({ id, name }) => [id, name]));
}

/** One's own views, and the views that others share: at most 500 of those. */
export async function listViews(scope: Scope): Promise<ViewList> {
  const { organizationId } = scope;
  const personId = personOf(scope);
  const prisma = getPrisma();
  const read = (where: Prisma.SavedViewWhereInput, take: number) =>
    prisma.savedView.findMany({
      where: { organizationId, ...where },
      omit: { layout: true },
      orderBy: [{ name: "asc" }, { id: "asc" }],
      take,
    });
  const [own, shared, marks] = await Promise.all([
    read({ ownerId: personId }, MAX_VIEWS),
    read({ ownerId: { not: personId }, ...othersShared(scope) }, MAX_SHARED_LISTED + 1),
    prisma.savedViewMark.findMany({ where: { organizationId, userId: personId } }),
  ]);
  const rows = [...own, ...shared.slice(0, MAX_SHARED_LISTED)];
  const owners = await ownersOf(rows);
  const marksOf = new Map(marks.map((mark) => [mark.viewId, mark]));
  return {
    views: rows
      .map((row) => describe(row, personId, owners, marksOf.get(row.id)))
      .sort((a, b) => a.name.localeCompare(b.name, "en")),
    isCapped: shared.length > MAX_SHARED_LISTED,
  };
}

/** One's own view or a shared one; null for any other. */
export async function findView(scope: Scope, id: string): Promise<OpenView | null> {
  const { organizationId } = scope;
  const personId = personOf(scope);
  const row = await getPrisma().savedView.findFirst({ where: { ...visibleTo(scope), id } });
  if (!row) return null;
  const [owners, marks] = await Promise.all([
    ownersOf([row]),
    getPrisma().savedViewMark.findUnique({
      where: {
        organizationId_userId_viewId: { organizationId, userId: personId, viewId: id },
      },
    }),
  ]);
  return { ...describe(row, personId, owners, marks), layout: parseLayout(row.layout) };
}

/** What the reader's explorer opens with; null when none is chosen or it may no longer be seen. */
export async function findDefaultView(
  scope: Scope,
): Promise<{ id: string; search: string } | null> {
  const { organizationId } = scope;
  const mark = await getPrisma().savedViewMark.findFirst({
    where: { organizationId, userId: personOf(scope), isDefault: true },
  });
  if (!mark) return null;
  return getPrisma().savedView.findFirst({
    where: { ...visibleTo(scope), id: mark.viewId },
    select: { id: true, search: true },
  });
}

/** A transaction in which nobody else changes what this person keeps: names stay unique, limits hold. */
async function changing<T>(
  scope: Scope,
  work: (client: pg.PoolClient, personId: string) => Promise<T>,
): Promise<T> {
  const personId = personOf(scope);
  return inTransaction(writePool(), async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `saved views ${scope.organizationId} ${personId}`,
    ]);
    return work(client, personId);
  });
}

type Stored = Pick<ViewRow, "id" | "name" | "isShared" | "search">;

const STORED = `id, name, is_shared AS "isShared", search`;

/** What others see of it, the log tells. */
async function tell(
  client: pg.PoolClient,
  scope: Scope,
  before: Stored | null,
  after: Stored | null,
): Promise<void> {
  const view = after ?? before;
  if (!view || !(before?.isShared || after?.isShared)) return;
  const what = !after
    ? "deleted"
    : !before?.isShared
      ? "shared"
      : after.isShared
        ? "changed"
        : "unshared";
  await appendControlEvent(client, scope, {
    action: `trailseal.view_${what}`,
    targets: [{ type: "saved_view", id: view.id, name: view.name }],
    metadata: {
      search: view.search,
      ...(before && before.name !== view.name ? { name_before: before.name } : {}),
      ...(before && before.search !== view.search ? { search_before: before.search } : {}),
    },
  });
}

async function refuseTakenName(
  client: pg.PoolClient,
  { organizationId }: Scope,
  ownerId: string,
  name: string,
  exceptId = "",
): Promise<void> {
  const { rowCount } = await client.query(
    "SELECT FROM saved_views WHERE organization_id = $1 AND owner_id = $2 AND name = $3 AND id <> $4",
    [organizationId, ownerId, name, exceptId],
  );
  if (rowCount === 0) return;
  const message = `You already have a view named “${name}”.`;
  throw new AppError("conflict", message, { errors: [{ field: "name", code: message }] });
}

/** @throws AppError conflict when the name is taken or there are too many. */
export async function createView(scope: Scope, input: NewView): Promise<OpenView> {
  const id = newId("view");
  const { organizationId } = scope;
  const { layout, ...view } = input;
  await changing(scope, async (client, ownerId) => {
    const { rows } = await client.query<{ count: number }>(
      "SELECT count(*) FROM saved_views WHERE organization_id = $1 AND owner_id = $2",
      [organizationId, ownerId],
    );
    if ((rows[0]?.count ?? 0) >= MAX_VIEWS)
      throw new AppError(
        "conflict",
        `You have ${MAX_VIEWS} views in this organization, which is the most there can be. Delete one first.`,
      );
    await refuseTakenName(client, scope, ownerId, view.name);
    await client.query(
      `INSERT INTO saved_views (organization_id, id, owner_id, name, is_shared, search, layout)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [organizationId, id, ownerId, view.name, view.isShared, view.search, JSON.stringify(layout)],
    );
    await tell(client, scope, null, { id, ...view });
  });
  return readOwn(scope, id);
}

async function lockOwn(
  client: pg.PoolClient,
  { organizationId }: Scope,
  ownerId: string,
  id: string,
): Promise<Stored> {
  const { rows } = await client.query<Stored>(
    `SELECT ${STORED} FROM saved_views WHERE organization_id = $1 AND owner_id = $2 AND id = $3 FOR UPDATE`,
    [organizationId, ownerId, id],
  );
  if (!rows[0]) throw noView();
  return rows[0];
}

/**
 * Changes what is given of one's own view.
 * @throws AppError not_found for another person's view too; conflict when the name is taken.
 */
export async function updateView(scope: Scope, id: string, change: ViewChange): Promise<OpenView> {
  await changing(scope, async (client, ownerId) => {
    const before = await lockOwn(client, scope, ownerId, id);
    if (change.name !== undefined) await refuseTakenName(client, scope, ownerId, change.name, id);
    const { rows } = await client.query<Stored>(
      `UPDATE saved_views SET name = coalesce($3, name), is_shared = coalesce($4, is_shared),
         search = coalesce($5, search), layout = coalesce($6, layout), updated_at = now()
       WHERE organization_id = $1 AND id = $2 RETURNING ${STORED}`,
      [
        ...[scope.organizationId, id, change.name, change.isShared, change.search],
        change.layout && JSON.stringify(change.layout),
      ],
    );
    await tell(client, scope, before, rows[0] ?? null);
  });
  return readOwn(scope, id);
}

/** @throws AppError not_found for another person's view too. */
export async function deleteView(scope: Scope, id: string): Promise<void> {
  await changing(scope, async (client, ownerId) => {
    const before = await lockOwn(client, scope, ownerId, id);
    await client.query("DELETE FROM saved_views WHERE organization_id = $1 AND id = $2", [
      scope.organizationId,
      id,
    ]);
    await tell(client, scope, before, null);
  });
}

/**
 * Stars a view or makes it the one that the explorer opens with, for the person who asks alone.
 * @throws AppError not_found for a view that this person may not see.
 */
export async function markView(scope: Scope, id: string, mark: ViewMark): Promise<OpenView> {
  const { organizationId } = scope;
  if (!(await findView(scope, id))) throw noView();
  await changing(scope, async (client, userId) => {
    if (mark.isDefault)
      await client.query(
        "UPDATE saved_view_marks SET is_default = false WHERE organization_id = $1 AND user_id = $2 AND is_default",
        [organizationId, userId],
      );
    await client.query(
      `INSERT INTO saved_view_marks (organization_id, user_id, view_id, is_starred, is_default)
       VALUES ($1, $2, $3, coalesce($4, false), coalesce($5, false))
       ON CONFLICT (organization_id, user_id, view_id) DO UPDATE SET
         is_starred = coalesce($4, saved_view_marks.is_starred), is_default = coalesce($5, saved_view_marks.is_default)`,
      [organizationId, userId, id, mark.isStarred, mark.isDefault],
    );
  });
  return readOwn(scope, id);
}

async function readOwn(scope: Scope, id: string): Promise<OpenView> {
  const view = await findView(scope, id);
  if (!view) throw noView();
  return view;
}
