import type { Permission } from "@/lib/auth/permissions";
import { type PortalIntent, portalIntents } from "./schema";

/** What somebody needs for each. */
export const PORTAL_PERMISSION: Record<PortalIntent, Permission> = {
  audit_logs: "events:read",
  log_streams: "streams:read",
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
  portalIntents.filter((intent) => portal.permissions.has(PORTAL_PERMISSION[intent]));

export const portalHref = (organizationId: string, intent: PortalIntent): string =>
  `/o/${organizationId}/${PATH[intent]}`;
