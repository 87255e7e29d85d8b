/** Every permission a page, action or handler can demand. */
export const permissions = [
  "events:read",
  "events:write",
  "integrity:read",
  "integrity:verify",
  "streams:read",
  "streams:manage",
  "keys:manage",
  "organizations:manage",
  "schemas:manage",
  "exports:manage",
] as const;

export type Permission = (typeof permissions)[number];
