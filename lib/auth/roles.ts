import { type Permission, permissions } from "./permissions";

export const roles = ["owner", "admin", "auditor", "stream_manager", "viewer"] as const;

export type Role = (typeof roles)[number];

export const ROLE_LABEL: Record<Role, string> = {
  owner: "Owner",
  admin: "Admin",
  auditor: "Auditor",
  stream_manager: "Stream manager",
  viewer: "Viewer",
};

/** What each is for, as a choice says it. */
export const ROLE_MEANING: Record<Role, string> = {
  owner: "everything, and makes other owners",
  admin: "everything but owners",
  auditor: "reads, exports and verifies",
  stream_manager: "sets up and watches streams to a SIEM",
  viewer: "reads events, all of them or a part",
};

const VIEWER: readonly Permission[] = [
  "overview:read",
  "events:read",
  "views:manage",
  "schemas:read",
  "integrity:read",
];

/** A viewer who does not see all of the log: nothing but its events, since all else tells of the rest. */
export const SIGHT_PERMISSIONS: ReadonlySet<Permission> = new Set(["events:read", "views:manage"]);

/** What a member may do in their organization. */
export const ROLE_PERMISSIONS: Record<Role, ReadonlySet<Permission>> = {
  owner: new Set(permissions),
  admin: new Set(permissions.filter((permission) => permission !== "owners:manage")),
  auditor: new Set([...VIEWER, "exports:manage", "integrity:verify", "streams:read"]),
  stream_manager: new Set(["overview:read", "integrity:read", "streams:read", "streams:manage"]),
  viewer: new Set(VIEWER),
};
