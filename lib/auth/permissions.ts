/** Every permission a page, action or handler can demand. */
export const permissions = [
  "events:read",
  "events:write",
  "events:import",
  "overview:read",
  "views:manage",
  "exports:manage",
  "schemas:read",
  "schemas:manage",
  "integrity:read",
  "integrity:verify",
  "streams:read",
  "streams:manage",
  "keys:manage",
  "members:manage",
  "owners:manage",
  "organizations:manage",
  "settings:manage",
  "instance:manage",
] as const;

export type Permission = (typeof permissions)[number];

/** What an API key may be given, in the words of its owner. */
const keyPermissions = {
  "events:write": ["events:write"],
  "events:read": ["events:read", "streams:read", "integrity:read"],
  exports: ["exports:manage"],
  schemas: ["schemas:read", "schemas:manage"],
  organizations: ["organizations:manage"],
  admin: permissions,
} as const satisfies Record<string, readonly Permission[]>;

export type KeyPermission = keyof typeof keyPermissions;

export const keyPermissionNames = Object.keys(keyPermissions) as KeyPermission[];

/** Names that this version does not know grant nothing. */
export function grantedBy(names: readonly string[]): ReadonlySet<Permission> {
  const known = keyPermissionNames.filter((name) => names.includes(name));
  return new Set(known.flatMap((name) => keyPermissions[name] as readonly Permission[]));
}
