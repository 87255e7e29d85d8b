import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { parseLayout, type TableLayout } from "@/lib/events/table-layout";
import { Prisma } from "@/lib/generated/prisma/client";
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
  work: (tx: Prisma.TransactionClient, personId: string) => Promise<T>,
): Promise<T> {
  const personId = personOf(scope);
  const lock = `saved views ${scope.organizationId} ${personId}`;
  return getPrisma().$transaction(async (tx) => {
    await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`);
    return work(tx, personId);
  });
}

async function refuseTakenName(
  tx: Prisma.TransactionClient,
  owner: { organizationId: string; ownerId: string },
  name: string,
  exceptId?: string,
): Promise<void> {
  const taken = await tx.savedView.findFirst({
    where: { ...owner, name, ...(exceptId ? { id: { not: exceptId } } : {}) },
    select: { id: true },
  });
  if (!taken) return;
  const message = `You already have a view named “${name}”.`;
  throw new AppError("conflict", message, { errors: [{ field: "name", code: message }] });
}

const asJson = (layout: TableLayout) => layout as unknown as Prisma.InputJsonValue;

/** @throws AppError conflict when the name is taken or there are too many. */
export async function createView(scope: Scope, input: NewView): Promise<OpenView> {
  const id = newId("view");
  await changing(scope, async (tx, ownerId) => {
    const owner = { organizationId: scope.organizationId, ownerId };
    if ((await tx.savedView.count({ where: owner })) >= MAX_VIEWS)
      throw new AppError(
        "conflict",
        `You have ${MAX_VIEWS} views in this organization, which is the most there can be. Delete one first.`,
      );
    await refuseTakenName(tx, owner, input.name);
    await tx.savedView.create({ data: { ...owner, ...input, id, layout: asJson(input.layout) } });
  });
  return readOwn(scope, id);
}

/**
 * Changes what is given of one's own view.
 * @throws AppError not_found for another person's view too; conflict when the name is taken.
 */
export async function updateView(scope: Scope, id: string, change: ViewChange): Promise<OpenView> {
  const { layout, ...rest } = change;
  await changing(scope, async (tx, ownerId) => {
    const owner = { organizationId: scope.organizationId, ownerId };
    if (rest.name !== undefined) await refuseTakenName(tx, owner, rest.name, id);
    const { count } = await tx.savedView.updateMany({
      where: { ...owner, id },
      data: { ...rest, ...(layout ? { layout: asJson(layout) } : {}), updatedAt: new Date() },
    });
    if (count === 0) throw noView();
  });
  return readOwn(scope, id);
}

/** @throws AppError not_found for another person's view too. */
export async function deleteView(scope: Scope, id: string): Promise<void> {
  const { count } = await getPrisma().savedView.deleteMany({
    where: { organizationId: scope.organizationId, ownerId: personOf(scope), id },
  });
  if (count === 0) throw noView();
}

/**
 * Stars a view or makes it the one that the explorer opens with, for the person who asks alone.
 * @throws AppError not_found for a view that this person may not see.
 */
export async function markView(scope: Scope, id: string, mark: ViewMark): Promise<OpenView> {
  const { organizationId } = scope;
  await changing(scope, async (tx, userId) => {
    const visible = await tx.savedView.findFirst({ where: { ...visibleTo(scope), id } });
    if (!visible) throw noView();
    if (mark.isDefault)
      await tx.savedViewMark.updateMany({
        where: { organizationId, userId, isDefault: true },
        data: { isDefault: false },
      });
    const key = { organizationId, userId, viewId: id };
    await tx.savedViewMark.upsert({
      where: { organizationId_userId_viewId: key },
      create: { ...key, ...mark },
      update: mark,
    });
  });
  return readOwn(scope, id);
}

async function readOwn(scope: Scope, id: string): Promise<OpenView> {
  const view = await findView(scope, id);
  if (!view) throw noView();
  return view;
}
