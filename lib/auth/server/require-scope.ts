import { cookies } from "next/headers";
import { notFound, redirect } from "next/navigation";
import { getServerSession } from "next-auth";
import { cache } from "react";
import { AppError } from "@/lib/errors";
import { portalCookie } from "@/lib/portal/cookie";
import type { InstanceAccessKey, OrganizationAccessKey, SessionAccessKey } from "../access";
import type { InstanceScope, Scope } from "../scope";
import { authOptions } from "./auth-options";
import {
  grantWithin,
  isPortal,
  issueInstanceScope,
  issueScope,
  SingleSignOnRequired,
  signInFirst,
  type Visitor,
} from "./issue-scope";
import { findPortalSession, findPortalSessionById, type PortalSession } from "./portal-sessions";
import { findSession, type SessionUser } from "./sessions";

export { singleSignOnOf } from "./issue-scope";

/** The signed-in user of this request, looked up once. */
export const currentUser = cache(async (): Promise<SessionUser | null> => {
  const session = await getServerSession(authOptions());
  return session?.sessionId ? findSession(session.sessionId) : null;
});

const portalSecret = async () => (await cookies()).get(portalCookie())?.value;

/** The redeemed link of this request, looked up once. */
export const currentPortal = cache(async (): Promise<PortalSession | null> => {
  const secret = await portalSecret();
  return secret ? findPortalSession(secret) : null;
});

/** A user is one also behind a portal link, wherever they reach. */
const currentVisitor = cache(async (organizationId: string): Promise<Visitor | null> => {
  const user = await currentUser();
  if (user && (await grantWithin(user, organizationId))) return user;
  const portal = await currentPortal();
  return portal && (!user || portal.organizationId === organizationId) ? portal : user;
});

/** The portal session that sees this organization's pages, if none of its users does. */
export async function portalWithin(organizationId: string): Promise<PortalSession | null> {
  const visitor = await currentVisitor(organizationId);
  return visitor && isPortal(visitor) && visitor.organizationId === organizationId ? visitor : null;
}

/** @throws AppError unauthorized, not_found or forbidden. */
export async function actionScope(
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  return issueScope(await currentVisitor(organizationId), accessKey, organizationId);
}

/** For route handlers, whose errors lib/http/error-response answers. */
export const handlerScope = actionScope;

/**
 * The same scope made anew, for answers that go on for minutes: the session may have ended meanwhile.
 * @throws AppError unauthorized, not_found or forbidden.
 */
export async function renewScope(accessKey: OrganizationAccessKey, scope: Scope): Promise<Scope> {
  const { principal, organizationId } = scope;
  return issueScope(await visitorAgain(principal), accessKey, organizationId);
}

async function visitorAgain(principal: Scope["principal"]): Promise<Visitor | null> {
  if (principal.kind === "user") return findSession(principal.sessionId, { isUse: false });
  return principal.kind === "portal" ? findPortalSessionById(principal.id) : null;
}

/** Who came through the portal has no account to sign in with. */
async function toEntrance(): Promise<never> {
  redirect((await portalSecret()) ? "/portal/ended" : "/sign-in");
}

/** For pages: sends people without a session to sign in; what they may not reach does not exist. */
export async function pageScope(
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  try {
    return await actionScope(accessKey, organizationId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error instanceof SingleSignOnRequired) redirect(`/sign-in?organization=${organizationId}`);
    if (error.code === "unauthorized") return toEntrance();
    if (error.code === "not_found" || error.code === "forbidden") notFound();
    throw error;
  }
}

/** For pages that any signed-in user sees. */
export async function pageUser(_accessKey: SessionAccessKey): Promise<SessionUser> {
  return (await currentUser()) ?? toEntrance();
}

/**
 * For actions that any signed-in user may do.
 * @throws AppError unauthorized
 */
export async function actionUser(_accessKey: SessionAccessKey): Promise<SessionUser> {
  const user = await currentUser();
  if (!user) throw signInFirst();
  return user;
}

/** @throws AppError unauthorized or forbidden. */
export async function instanceScope(
  accessKey: InstanceAccessKey,
  toldIn: string | null,
): Promise<InstanceScope> {
  return issueInstanceScope(await currentUser(), accessKey, toldIn);
}

/** For pages of administrators of the instance: for others they do not exist. */
export async function pageInstanceScope(accessKey: InstanceAccessKey): Promise<InstanceScope> {
  const user = (await currentUser()) ?? (await toEntrance());
  return user.instanceAdmin ? issueInstanceScope(user, accessKey) : notFound();
}

/** For pages that show administrators of the instance more; null for everybody else. */
export async function currentInstanceScope(
  accessKey: InstanceAccessKey,
): Promise<InstanceScope | null> {
  const user = await currentUser();
  return user?.instanceAdmin ? issueInstanceScope(user, accessKey) : null;
}
