import { notFound, redirect } from "next/navigation";
import { getServerSession } from "next-auth";
import { cache } from "react";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { type AccessKey, type OrganizationAccessKey, requirementOf } from "../access";
import { type Permission, permissions } from "../permissions";
import type { InstanceScope, Scope } from "../scope";
import { authOptions } from "./auth-options";
import { findSession, type SessionUser } from "./sessions";

const EVERYTHING: ReadonlySet<Permission> = new Set(permissions);

/** The signed-in user of this request, looked up once. */
export const currentUser = cache(async (): Promise<SessionUser | null> => {
  const session = await getServerSession(authOptions());
  return session?.sessionId ? findSession(session.sessionId) : null;
});

const reaches = cache(async (user: SessionUser, organizationId: string): Promise<boolean> => {
  const prisma = getPrisma();
  const organization = await prisma.organization.findFirst({
    where: { id: organizationId, deletedAt: null },
  });
  if (!organization) return false;
  if (user.instanceAdmin) return true;
  const membership = await prisma.membership.findUnique({
    where: { organizationId_userId: { organizationId, userId: user.id } },
  });
  return membership !== null;
});

function principalOf(user: SessionUser): Scope["principal"] {
  return { kind: "user", id: user.id, email: user.email, sessionId: user.sessionId };
}

/** Members may do everything in their organization until there are roles. */
function issue(user: SessionUser, organizationId: string): Scope {
  return {
    principal: principalOf(user),
    permissions: EVERYTHING,
    organizationId,
  } as unknown as Scope;
}

const signInFirst = () => new AppError("unauthorized", "Your session has ended. Sign in again.");
/** One answer for an organization that is not there and one that is not yours. */
const noOrganization = () => new AppError("not_found", "There is no such organization.");

function permissionOf(accessKey: AccessKey): Permission {
  const requirement = requirementOf(accessKey);
  if (!("permission" in requirement)) throw new Error(`${accessKey} demands no permission`);
  return requirement.permission;
}

/** @throws AppError unauthorized, not_found or forbidden. */
export async function actionScope(
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  const user = await currentUser();
  if (!user) throw signInFirst();
  if (!(await reaches(user, organizationId))) throw noOrganization();
  const scope = issue(user, organizationId);
  if (!scope.permissions.has(permissionOf(accessKey))) {
    throw new AppError("forbidden", "You may not do this in this organization.");
  }
  return scope;
}

/** For route handlers, whose errors lib/http/error-response answers. */
export const handlerScope = actionScope;

/** For pages: sends people without a session to sign in; what they may not reach does not exist. */
export async function pageScope(
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  await pageUser();
  try {
    return await actionScope(accessKey, organizationId);
  } catch (error) {
    if (error instanceof AppError && error.code === "unauthorized") redirect("/sign-in");
    if (error instanceof AppError && (error.code === "not_found" || error.code === "forbidden"))
      notFound();
    throw error;
  }
}

/** For pages that any signed-in user sees. */
export async function pageUser(): Promise<SessionUser> {
  const user = await currentUser();
  if (!user) redirect("/sign-in");
  return user;
}

/** @throws AppError unauthorized or forbidden. */
export async function instanceScope(accessKey: AccessKey): Promise<InstanceScope> {
  const user = await currentUser();
  if (!user) throw signInFirst();
  permissionOf(accessKey);
  if (!user.instanceAdmin)
    throw new AppError("forbidden", "Only an administrator of this instance may do this.");
  return {
    principal: principalOf(user),
    permissions: EVERYTHING,
    organizationId: null,
  } as unknown as InstanceScope;
}
