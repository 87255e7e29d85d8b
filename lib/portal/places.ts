import type { Permission } from "@/lib/auth/permissions";
import { type PortalIntent, portalIntents } from "./schema";

/** What a link for each may do; the first opens its place. */
export const PORTAL_PERMISSIONS: Record<PortalIntent, readonly [Permission, ...Permission[]]> = {
  audit_logs: ["events:read"],
  log_streams: ["streams:read", "streams:manage"],
};

export const PORTAL_LABEL: Record<PortalIntent, string> = {
  audit_logs: "Events",
  log_streams: "Streams",
};

const PATH: Record<PortalIntent, string> = {
  audit_logs: "events",
  log_streams: "integrity/streams",
};

export const placesOf = (portal: { permissions: ReadonlySet<Permission> }): PortalIntent[] =>
  portalIntents.filter((intent) => portal.permissions.has(PORTAL_PERMISSIONS[intent][0]));

export const portalHref = (organizationId: string, intent: PortalIntent): string =>
  `/o/${organizationId}/${PATH[intent]}`;
