import type { Permission } from "./permissions";

/**
 * - public: anybody
 * - session: any signed-in user
 * - organization: a user who may do this in the organization that the path names; with isAdministrators only
 *   one who administers the instance, too
 * - instance: an administrator of the instance
 * - api_key: an API key, for the organization that the body names
 * - widget: a page of a customer with a token that an API key asked for
 * - link: whoever has a link that this server signed, for the organization that it names
 */
export type Requirement =
  | { who: "public" }
  | { who: "session" }
  | { who: "organization"; permission: Permission; isAdministrators?: true }
  | { who: "instance"; permission: Permission }
  | { who: "api_key"; permission: Permission }
  | { who: "widget"; permission: Permission }
  | { who: "link"; permission: Permission };

const open = { who: "public" } as const;
const signedIn = { who: "session" } as const;
const member = (permission: Permission) => ({ who: "organization", permission }) as const;
const administrator = (permission: Permission) =>
  ({ who: "organization", permission, isAdministrators: true }) as const;
const instance = (permission: Permission) => ({ who: "instance", permission }) as const;
const widget = (permission: Permission) => ({ who: "widget", permission }) as const;
const key = (permission: Permission) => ({ who: "api_key", permission }) as const;
const link = (permission: Permission) => ({ who: "link", permission }) as const;

/** What every page, handler and action demands. A place that is not listed here cannot make a scope. */
export const access = {
  "page:/": open,
  "page:/sign-in": open,
  "page:/setup": open,
  "page:/o": signedIn,
  "page:/account": signedIn,
  "page:/portal/ended": open,
  "page:/portal/start": open,
  "page:/o/[org]": member("overview:read"),
  "page:/o/[org]/events": member("events:read"),
  "page:/o/[org]/timeline": member("events:read"),
  "page:/o/[org]/integrity": member("integrity:read"),
  "page:/o/[org]/integrity/drill": member("integrity:verify"),
  "page:/o/[org]/integrity/streams": member("streams:read"),
  "page:/o/[org]/integrity/streams/new": member("streams:manage"),
  "page:/o/[org]/integrity/streams/[id]": member("streams:manage"),
  "page:/o/[org]/settings": member("settings:manage"),
  "page:/o/[org]/schemas": member("schemas:read"),
  "page:/o/[org]/schemas/action": member("schemas:read"),
  "page:/o/[org]/schemas/new": administrator("schemas:manage"),
  "page:/o/[org]/settings/keys": member("keys:manage"),
  "page:/o/[org]/settings/sso": member("settings:manage"),
  "page:/o/[org]/settings/members": member("members:manage"),
  "page:/invitation": open,
  "page:/instance": instance("instance:manage"),

  "handler:/api/auth/[...nextauth]": open,
  "handler:/audit_logs/events": key("events:write"),
  "page:/docs/api": open,
  "handler:/openapi.json": open,
  "handler:/v1/events": key("events:read"),
  "handler:/v1/events/[id]": key("events:read"),
  "handler:/v1/events/[id]/proof": key("events:read"),
  "handler:/v1/checkpoints": key("events:read"),
  "handler:/v1/events/batch": key("events:write"),
  "handler:/v1/organizations": key("organizations:manage"),
  "handler:/v1/streams": key("streams:read"),
  "handler:/v1/verification": key("integrity:read"),
  "handler:/widgets/token": key("organizations:manage"),
  "handler:/_widgets/admin-portal/audit-log-stream": widget("streams:read"),
  "handler:/_widgets/admin-portal/generate-link": widget("streams:read"),
  "handler:/portal": open,
  "handler:/portal/generate_link": key("organizations:manage"),
  "handler:/organizations": key("organizations:manage"),
  "handler:/organizations/[id]": key("organizations:manage"),
  "handler:/organizations/[id]/audit_logs_retention": key("organizations:manage"),
  "handler:/organizations/[id]/audit_log_configuration": key("organizations:manage"),
  "handler:/organizations/external_id/[externalId]": key("organizations:manage"),
  "handler:/audit_logs/actions": key("schemas:manage"),
  "handler:/audit_logs/actions/[action]/schemas": key("schemas:manage"),
  "handler:/organizations/[id]/it_contacts": key("organizations:manage"),
  "handler:/organizations/[id]/it_contacts/[contact]": key("organizations:manage"),
  "handler:/organizations/[id]/it_contacts/[contact]/invite": key("organizations:manage"),
  "handler:/organizations/[id]/it_contacts/[contact]/revoke": key("organizations:manage"),
  "handler:/audit_logs/exports": key("exports:manage"),
  "handler:/audit_logs/exports/[id]": key("exports:manage"),
  "handler:/audit_logs/exports/[id]/file": link("exports:manage"),
  "handler:/audit_logs/exports/[id]/manifest": link("exports:manage"),
  "page:/o/[org]/exports": member("exports:manage"),
  "handler:/o/[org]/exports/[id]/file": member("exports:manage"),
  "handler:/o/[org]/exports/[id]/manifest": member("exports:manage"),
  "page:/o/[org]/import": member("events:import"),
  "page:/o/[org]/import/[id]": member("events:import"),
  "handler:/o/[org]/import/upload": member("events:import"),
  "handler:/o/[org]/import/[id]/rejects": member("events:import"),
  "handler:/o/[org]/events/csv": member("events:read"),
  "handler:/o/[org]/events/subjects": member("events:read"),
  "handler:/o/[org]/events/facets": member("events:read"),
  "handler:/o/[org]/events/values": member("events:read"),
  "handler:/o/[org]/events/restored": member("events:read"),
  "handler:/o/[org]/integrity/bundle": member("exports:manage"),
  "handler:/o/[org]/events/proof": member("events:read"),
  "handler:/o/[org]/events/proofs": member("events:read"),
  "handler:/o/[org]/events/oldest": member("events:read"),
  "handler:/o/[org]/events/deliveries": member("streams:read"),
  "handler:/o/[org]/events/histogram": member("events:read"),
  "handler:/o/[org]/events/tail": member("events:read"),
  "handler:/o/[org]/timeline/days": member("events:read"),
  "handler:/o/[org]/timeline/usual": member("events:read"),

  "action:createFirstAdministrator": open,
  "action:findSignInRoute": open,
  "action:createOrganization": instance("organizations:manage"),
  "action:signOut": signedIn,
  "action:sendTestMail": instance("instance:manage"),
  "action:changeName": signedIn,
  "action:changePassword": signedIn,
  "action:endSession": signedIn,
  "action:endOtherSessions": signedIn,
  "action:startSecondFactor": signedIn,
  "action:confirmSecondFactor": signedIn,
  "action:renewRecoveryCodes": signedIn,
  "action:disableSecondFactor": signedIn,
  "action:invite": member("members:manage"),
  "action:revokeInvitation": member("members:manage"),
  "action:changeRole": member("members:manage"),
  "action:changeSight": member("members:manage"),
  "action:removeMember": member("members:manage"),
  "action:restoreMember": member("members:manage"),
  "action:createIdentityProvider": member("owners:manage"),
  "action:changeIdentityProvider": member("owners:manage"),
  "action:deleteIdentityProvider": member("owners:manage"),
  "action:checkIssuer": member("owners:manage"),
  "action:requireSingleSignOn": member("owners:manage"),
  "action:setIdentityDomains": administrator("settings:manage"),
  "action:acceptInvitation": signedIn,
  "action:acceptWithNewAccount": open,
  "action:createApiKey": member("keys:manage"),
  "action:rotateApiKey": member("keys:manage"),
  "action:revokeApiKey": member("keys:manage"),
  "action:createInstanceApiKey": instance("keys:manage"),
  "action:rotateInstanceApiKey": instance("keys:manage"),
  "action:revokeInstanceApiKey": instance("keys:manage"),
  "action:previewRetention": member("settings:manage"),
  "action:setRetention": member("settings:manage"),
  "action:placeHold": member("settings:manage"),
  "action:releaseHold": member("settings:manage"),
  "action:readExports": member("exports:manage"),
  "action:createExport": member("exports:manage"),
  "action:cancelExport": member("exports:manage"),
  "action:resumeExport": member("exports:manage"),
  "action:revokeExportLinks": member("exports:manage"),
  "action:deleteExport": member("exports:manage"),
  "action:readImports": member("events:import"),
  "action:recogniseImport": member("events:import"),
  "action:previewImport": member("events:import"),
  "action:startImport": member("events:import"),
  "action:cancelImport": member("events:import"),
  "action:deleteImport": member("events:import"),
  "action:saveImportMapping": member("events:import"),
  "action:deleteImportMapping": member("events:import"),
  "action:trySchema": administrator("schemas:manage"),
  "action:createActionSchema": instance("schemas:manage"),
  "action:setUnknownActions": instance("schemas:manage"),
  "action:listEvents": member("events:read"),
  "action:readEvent": member("events:read"),
  "action:readColumns": member("events:read"),
  "action:copyEvents": member("events:read"),
  "action:readTimeline": member("events:read"),
  "action:readIngestion": member("overview:read"),
  "action:readViews": member("views:manage"),
  "action:createView": member("views:manage"),
  "action:updateView": member("views:manage"),
  "action:deleteView": member("views:manage"),
  "action:markView": member("views:manage"),
  "action:startVerification": member("integrity:verify"),
  "action:askForDrill": member("integrity:verify"),
  "action:cancelVerification": member("integrity:verify"),
  "action:readVerification": member("integrity:read"),
  "action:createStream": member("streams:manage"),
  "action:updateStream": member("streams:manage"),
  "action:testStream": member("streams:manage"),
  "action:previewStream": member("streams:manage"),
  "action:pauseStream": member("streams:manage"),
  "action:resumeStream": member("streams:manage"),
  "action:deleteStream": member("streams:manage"),
  "action:readStreams": member("streams:read"),
  "action:readDeliveries": member("streams:manage"),
  "action:startBackfill": member("streams:manage"),
  "action:cancelLane": member("streams:manage"),
  "action:redrive": member("streams:manage"),
  "action:discardDeadLetters": member("streams:manage"),
  "action:moveCursor": member("streams:manage"),
  "action:rotateSecret": member("streams:manage"),
} satisfies Record<string, Requirement>;

export type AccessKey = keyof typeof access;

type KeysOf<Who extends Requirement["who"]> = {
  [K in AccessKey]: (typeof access)[K] extends { who: Who } ? K : never;
}[AccessKey];

export type PublicAccessKey = KeysOf<"public">;
export type SessionAccessKey = KeysOf<"session">;
/** Keys of places that act within one organization. */
export type OrganizationAccessKey = KeysOf<"organization">;
export type InstanceAccessKey = KeysOf<"instance">;
export type ApiKeyAccessKey = KeysOf<"api_key">;
export type WidgetAccessKey = KeysOf<"widget">;
export type LinkAccessKey = KeysOf<"link">;

/** Whether a place is for administrators of the instance alone. */
export const isAdministrators = (accessKey: OrganizationAccessKey): boolean =>
  "isAdministrators" in access[accessKey];

/** The permission that a place demands. */
export function permissionOf(
  accessKey:
    | OrganizationAccessKey
    | InstanceAccessKey
    | ApiKeyAccessKey
    | WidgetAccessKey
    | LinkAccessKey,
): Permission {
  return access[accessKey].permission;
}
