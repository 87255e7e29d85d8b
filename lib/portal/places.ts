import type { PortalIntent } from "./schema";

export const PORTAL_LABEL: Record<PortalIntent, string> = {
  audit_logs: "Events",
  log_streams: "Streams",
};

const PATH: Record<PortalIntent, string> = {
  audit_logs: "events",
  log_streams: "integrity/streams",
};

export const portalHref = (organizationId: string, intent: PortalIntent): string =>
  `/o/${organizationId}/${PATH[intent]}`;
