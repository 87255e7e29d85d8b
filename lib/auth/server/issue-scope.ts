import { cache } from "react";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { readSight } from "@/lib/events/server/read-sight";
import { type Sight, seesEverything } from "@/lib/events/sight";
import {
  type InstanceAccessKey,
  isAdministrators,
  type OrganizationAccessKey,
  permissionOf,
} from "../access";
import { permissionsOf } from "../people";
import { type Permission, permissions } from "../permissions";
import { SIGHT_PERMISSIONS } from "../roles";
import type { InstanceScope, Scope } from "../scope";
import type { PortalSession } from "./portal-sessions";
import type { SessionUser } from "./sessions";

/** Who comes with a cookie. */
export type Visitor = SessionUser | PortalSession;

export const isPortal = (visitor: Visitor): visitor is PortalSession => "portalId" in visitor;

const EVERYTHING: ReadonlySet<Permission> = new Set(permissions);
const NOTHING: ReadonlySet<Permission> = new Set();

interface Grant {
  permissions: ReadonlySet<Permission>;
  /** Undefined: they see everything; null: what they see cannot be read. */
  sight?: Sight | null;
}

/** What somebody may do and see in an organization; null where they reach nothing. */
export const grantWithin = cache(
  async (visitor: Visitor, organizationId: string): Promise<Grant | null> => {
    if (isPortal(visitor))
      return visitor.organizationId === organizationId
        ? { permissions: visitor.permissions }
        : null;
    const prisma = getPrisma();
    const organization = await prisma.organization.findFirst({
      where: { id: organizationId, deletedAt: null },
    });
    if (!organization) return null;
    if (visitor.instanceAdmin) return { permissions: EVERYTHING };
    const membership = await prisma.membership.findUnique({
      where: {
        organizationId_userId: { organizationId, userId: visitor.id },
        removedAt: null,
      },
    });
    if (!membership) return null;
    if (organization.ssoRequired && visitor.ssoOrganizationId !== organizationId) return null;
    const { role, viewFilter: filter, maskedFields: hidden } = membership;
    const permissions = permissionsOf(role);
    if (seesEverything({ filter, hidden })) return { permissions };
    return { permissions: SIGHT_PERMISSIONS, sight: readSight({ filter, hidden }) };
  },
);

/**
 * Whether all that keeps a member out of an organization is that they did not come through its identity provider.
 * @returns its name, for them
 */
export async function singleSignOnOf(
  visitor: Visitor,
  organizationId: string,
): Promise<string | null> {
  if (isPortal(visitor) || visitor.ssoOrganizationId === organizationId) return null;
  const isThrough = { ...visitor, ssoOrganizationId: organizationId };
  if (!(await grantWithin(isThrough, organizationId))) return null;
  const organization = await getPrisma().organization.findFirst({
    where: { id: organizationId, ssoRequired: true },
  });
  return organization?.name ?? null;
}

function principalOf(user: Visitor): Scope["principal"] {
  if (isPortal(user)) return { kind: "portal", id: user.portalId };
  return { kind: "user", id: user.id, email: user.email, sessionId: user.sessionId };
}

export const signInFirst = () =>
  new AppError("unauthorized", "Your session has ended. Sign in again.");
/** A member who has to sign in another way. */
export class SingleSignOnRequired extends AppError {
  constructor() {
    super("unauthorized", "This organization wants single sign-on. Sign in through its provider.");
  }
}
const notYours = () =>
  new AppError("forbidden", "Only an administrator of this instance may do this.");
const unreadable = () =>
  new AppError(
    "conflict",
    "What you see here is set to a filter or to fields that this version does not understand, so nothing is shown. Ask an owner or admin of the organization to set it again, under Members.",
  );
/** One answer for an organization that is not there and one that is not yours. */
const noOrganization = () => new AppError("not_found", "There is no such organization.");

/**
 * What somebody may do at a place within an organization.
 * @param user null without a session.
 * @throws AppError unauthorized, not_found, forbidden, or conflict where what they see cannot be read.
 */
export async function issueScope(
  user: Visitor | null,
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  if (!user) throw signInFirst();
  const granted = await grantWithin(user, organizationId);
  if (!granted)
    throw (await singleSignOnOf(user, organizationId))
      ? new SingleSignOnRequired()
      : noOrganization();
  const { permissions, sight } = granted;
  if (sight === null) throw unreadable();
  const scope = {
    principal: principalOf(user),
    permissions,
    organizationId,
    sight,
  } as unknown as Scope;
  if (!scope.permissions.has(permissionOf(accessKey))) {
    throw new AppError("forbidden", "You may not do this in this organization.");
  }
  if (isAdministrators(accessKey) && (isPortal(user) || !user.instanceAdmin)) throw notYours();
  return scope;
}

/**
 * What a user may do on the instance itself.
 * @param user null without a session.
 * @param toldIn the organization from whose page it comes; whether there is such a one, its log says.
 * @throws AppError unauthorized or forbidden.
 */
export function issueInstanceScope(
  user: SessionUser | null,
  accessKey: InstanceAccessKey,
  toldIn: string | null = null,
): InstanceScope {
  if (!user) throw signInFirst();
  const principal = principalOf(user);
  const scope = {
    principal,
    permissions: user.instanceAdmin ? EVERYTHING : NOTHING,
    organizationId: null,
    toldIn: toldIn === null ? null : namingScope(principal, toldIn),
  } as unknown as InstanceScope;
  if (!scope.permissions.has(permissionOf(accessKey))) {
    throw notYours();
  }
  return scope;
}

/** For events alone: names who did something, and may do nothing. */
export function namingScope(principal: Scope["principal"], organizationId: string): Scope {
  return { principal, permissions: NOTHING, organizationId } as unknown as Scope;
}
