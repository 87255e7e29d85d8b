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
export type Requirement = { seals: Seals } & (
  | { who: "public" }
  | { who: "session" }
  | { who: "organization"; permission: Permission; isAdministrators?: true }
  | { who: "instance"; permission: Permission }
  | { who: "api_key"; permission: Permission }
  | { who: "widget"; permission: Permission }
  | { who: "link"; permission: Permission }
);

type Action = `trailseal.${string}`;

/**
 * The events of the organization's log that tell of what is done there, or why none does:
 * - shows_no_events: a form, settings, states
 * - counts: numbers over many events
 * - hashes: of events, without what they say
 * - completions: values for what is being typed, or for columns of rows that a search gave
 * - rehearses: it tries or prepares, and changes nothing
 * - stores_events: they speak for themselves
 * - begins_a_log: an empty one
 * - ones_own: one's own session or preferences
 * - of_the_instance: it belongs to no organization
 */
export type Seals =
  | Action
  | readonly Action[]
  | "shows_no_events"
  | "counts"
  | "hashes"
  | "completions"
  | "rehearses"
  | "stores_events"
  | "begins_a_log"
  | "ones_own"
  | "of_the_instance";

const open = (seals: Seals) => ({ who: "public", seals }) as const;
const signedIn = (seals: Seals) => ({ who: "session", seals }) as const;
const member = (permission: Permission, seals: Seals) =>
  ({ who: "organization", permission, seals }) as const;
const administrator = (permission: Permission, seals: Seals) =>
  ({ who: "organization", permission, isAdministrators: true, seals }) as const;
const instance = (permission: Permission, seals: Seals) =>
  ({ who: "instance", permission, seals }) as const;
const widget = (permission: Permission, seals: Seals) =>
  ({ who: "widget", permission, seals }) as const;
const key = (permission: Permission, seals: Seals) =>
  ({ who: "api_key", permission, seals }) as const;
const link = (permission: Permission, seals: Seals) =>
  ({ who: "link", permission, seals }) as const;

/**
 * What every page, handler and action demands, and what is sealed of it. A place that is not listed here cannot make a
 * scope.
 */
export const access = {
  "page:/": open("shows_no_events"),
  "page:/sign-in": open("shows_no_events"),
  "page:/setup": open("shows_no_events"),
  "page:/o": signedIn("shows_no_events"),
  "page:/account": signedIn("ones_own"),
  "page:/portal/ended": open("shows_no_events"),
  "page:/portal/start": open("shows_no_events"),
  "page:/portal/enter": open("shows_no_events"),
  "page:/o/[org]": member("overview:read", "counts"),
  "page:/o/[org]/events": member("events:read", [
    "trailseal.events_searched",
    "trailseal.event_viewed",
  ]),
  "page:/o/[org]/timeline": member("events:read", [
    "trailseal.timeline_viewed",
    "trailseal.event_viewed",
  ]),
  "page:/o/[org]/integrity": member("integrity:read", "shows_no_events"),
  "page:/o/[org]/integrity/drill": member("integrity:verify", "shows_no_events"),
  "page:/o/[org]/integrity/streams": member("streams:read", "shows_no_events"),
  "page:/o/[org]/integrity/streams/new": member("streams:manage", "shows_no_events"),
  "page:/o/[org]/integrity/streams/[id]": member("streams:manage", "shows_no_events"),
  "page:/o/[org]/settings": member("settings:manage", "shows_no_events"),
  "page:/o/[org]/schemas": member("schemas:read", "counts"),
  "page:/o/[org]/schemas/action": member("schemas:read", "counts"),
  "page:/o/[org]/schemas/new": administrator("schemas:manage", "shows_no_events"),
  "page:/o/[org]/settings/keys": member("keys:manage", "shows_no_events"),
  "page:/o/[org]/settings/sso": member("settings:manage", "shows_no_events"),
  "page:/o/[org]/settings/members": member("members:manage", "shows_no_events"),
  "page:/o/[org]/settings/portal": member("members:manage", "shows_no_events"),
  "page:/invitation": open("shows_no_events"),
  "page:/instance": instance("instance:manage", "of_the_instance"),
  "page:/instance/portal": instance("instance:manage", "of_the_instance"),

  "handler:/api/auth/[...nextauth]": open(["trailseal.signed_in", "trailseal.sign_in_failed"]),
  "handler:/audit_logs/events": key("events:write", "stores_events"),
  "page:/docs/api": open("shows_no_events"),
  "handler:/openapi.json": open("shows_no_events"),
  "handler:/v1/events": key("events:read", "trailseal.events_searched"),
  "handler:/v1/events/[id]": key("events:read", "trailseal.event_viewed"),
  "handler:/v1/events/[id]/proof": key("events:read", "trailseal.proof_downloaded"),
  "handler:/v1/checkpoints": key("events:read", "shows_no_events"),
  "handler:/v1/events/batch": key("events:write", "stores_events"),
  "handler:/v1/organizations": key("organizations:manage", "begins_a_log"),
  "handler:/v1/streams": key("streams:read", "shows_no_events"),
  "handler:/v1/verification": key("integrity:read", "shows_no_events"),
  "handler:/widgets/token": key("organizations:manage", "shows_no_events"),
  "handler:/_widgets/admin-portal/audit-log-stream": widget("streams:read", "shows_no_events"),
  "handler:/_widgets/admin-portal/generate-link": widget(
    "streams:read",
    "trailseal.portal_link_made",
  ),
  "handler:/portal": open("trailseal.portal_link_opened"),
  "handler:/portal/logo": open("shows_no_events"),
  "handler:/portal/generate_link": key("organizations:manage", [
    "trailseal.portal_link_made",
    "trailseal.portal_link_invited",
  ]),
  "handler:/organizations": key("organizations:manage", "begins_a_log"),
  "handler:/organizations/[id]": key("organizations:manage", [
    "trailseal.organization_changed",
    "trailseal.organization_deleted",
  ]),
  "handler:/organizations/[id]/audit_logs_retention": key(
    "organizations:manage",
    "trailseal.retention_changed",
  ),
  "handler:/organizations/[id]/audit_log_configuration": key(
    "organizations:manage",
    "shows_no_events",
  ),
  "handler:/organizations/external_id/[externalId]": key("organizations:manage", "shows_no_events"),
  "handler:/audit_logs/actions": key("schemas:manage", "shows_no_events"),
  "handler:/audit_logs/actions/[action]/schemas": key("schemas:manage", "of_the_instance"),
  "handler:/organizations/[id]/it_contacts": key(
    "organizations:manage",
    "trailseal.it_contact_added",
  ),
  "handler:/organizations/[id]/it_contacts/[contact]": key("organizations:manage", [
    "trailseal.it_contact_removed",
    "trailseal.portal_link_revoked",
  ]),
  "handler:/organizations/[id]/it_contacts/[contact]/invite": key("organizations:manage", [
    "trailseal.it_contact_invited",
    "trailseal.portal_link_invited",
    "trailseal.portal_link_revoked",
  ]),
  "handler:/organizations/[id]/it_contacts/[contact]/revoke": key("organizations:manage", [
    "trailseal.it_contact_invitation_revoked",
    "trailseal.portal_link_revoked",
  ]),
  "handler:/audit_logs/exports": key("exports:manage", "trailseal.export_requested"),
  "handler:/audit_logs/exports/[id]": key("exports:manage", "shows_no_events"),
  "handler:/audit_logs/exports/[id]/file": link("exports:manage", "trailseal.export_downloaded"),
  "handler:/audit_logs/exports/[id]/manifest": link("exports:manage", "hashes"),
  "page:/o/[org]/exports": member("exports:manage", "shows_no_events"),
  "handler:/o/[org]/exports/[id]/file": member("exports:manage", "trailseal.export_downloaded"),
  "handler:/o/[org]/exports/[id]/manifest": member("exports:manage", "hashes"),
  "page:/o/[org]/import": member("events:import", "shows_no_events"),
  "page:/o/[org]/import/[id]": member("events:import", "shows_no_events"),
  "handler:/o/[org]/import/upload": member("events:import", "stores_events"),
  "handler:/o/[org]/import/[id]/rejects": member("events:import", "shows_no_events"),
  "handler:/o/[org]/events/csv": member("events:read", "trailseal.events_downloaded"),
  "handler:/o/[org]/events/subjects": member("events:read", "completions"),
  "handler:/o/[org]/events/facets": member("events:read", "trailseal.events_searched"),
  "handler:/o/[org]/events/values": member("events:read", "completions"),
  "handler:/o/[org]/events/restored": member("events:read", "trailseal.events_searched"),
  "handler:/o/[org]/integrity/bundle": member("exports:manage", "trailseal.bundle_downloaded"),
  "handler:/o/[org]/events/proof": member("events:read", "trailseal.proof_downloaded"),
  "handler:/o/[org]/events/proofs": member("events:read", "hashes"),
  "handler:/o/[org]/events/oldest": member("events:read", "counts"),
  "handler:/o/[org]/events/deliveries": member("streams:read", "shows_no_events"),
  "handler:/o/[org]/events/histogram": member("events:read", "trailseal.events_searched"),
  "handler:/o/[org]/events/tail": member("events:read", "trailseal.events_searched"),
  "handler:/o/[org]/timeline/days": member("events:read", "trailseal.timeline_viewed"),
  "handler:/o/[org]/timeline/usual": member("events:read", "trailseal.timeline_viewed"),

  "action:createFirstAdministrator": open("of_the_instance"),
  "action:findSignInRoute": open("shows_no_events"),
  "action:createOrganization": instance("organizations:manage", "begins_a_log"),
  "action:signOut": signedIn("ones_own"),
  "action:sendTestMail": instance("instance:manage", "of_the_instance"),
  "action:saveBranding": instance("instance:manage", "of_the_instance"),
  "action:changeName": signedIn("trailseal.name_changed"),
  "action:changePassword": signedIn("trailseal.password_changed"),
  "action:endSession": signedIn("trailseal.sessions_revoked"),
  "action:endOtherSessions": signedIn("trailseal.sessions_revoked"),
  "action:startSecondFactor": signedIn("rehearses"),
  "action:confirmSecondFactor": signedIn("trailseal.second_factor_enabled"),
  "action:renewRecoveryCodes": signedIn("trailseal.recovery_codes_renewed"),
  "action:disableSecondFactor": signedIn("trailseal.second_factor_disabled"),
  "action:invite": member("members:manage", "trailseal.member_invited"),
  "action:makePortalLink": member("members:manage", [
    "trailseal.portal_link_made",
    "trailseal.portal_link_invited",
  ]),
  "action:revokePortalLink": member("members:manage", "trailseal.portal_link_revoked"),
  "action:revokeInvitation": member("members:manage", "trailseal.invitation_revoked"),
  "action:changeRole": member("members:manage", "trailseal.member_role_changed"),
  "action:changeSight": member("members:manage", "trailseal.member_sight_changed"),
  "action:removeMember": member("members:manage", "trailseal.member_removed"),
  "action:restoreMember": member("members:manage", "trailseal.member_restored"),
  "action:createIdentityProvider": member("owners:manage", "trailseal.sso_provider_created"),
  "action:changeIdentityProvider": member("owners:manage", "trailseal.sso_provider_changed"),
  "action:deleteIdentityProvider": member("owners:manage", "trailseal.sso_provider_deleted"),
  "action:checkIssuer": member("owners:manage", "rehearses"),
  "action:requireSingleSignOn": member("owners:manage", [
    "trailseal.sso_required",
    "trailseal.sso_not_required",
  ]),
  "action:setIdentityDomains": administrator("settings:manage", "trailseal.sso_domains_changed"),
  "action:acceptInvitation": signedIn("trailseal.member_joined"),
  "action:acceptWithNewAccount": open("trailseal.member_joined"),
  "action:createApiKey": member("keys:manage", "trailseal.api_key_created"),
  "action:rotateApiKey": member("keys:manage", "trailseal.api_key_rotated"),
  "action:revokeApiKey": member("keys:manage", "trailseal.api_key_revoked"),
  "action:createInstanceApiKey": instance("keys:manage", "trailseal.api_key_created"),
  "action:rotateInstanceApiKey": instance("keys:manage", "trailseal.api_key_rotated"),
  "action:revokeInstanceApiKey": instance("keys:manage", "trailseal.api_key_revoked"),
  "action:previewRetention": member("settings:manage", "counts"),
  "action:setRetention": member("settings:manage", "trailseal.retention_changed"),
  "action:setReadSampling": member("settings:manage", "trailseal.read_recording_changed"),
  "action:placeHold": member("settings:manage", "trailseal.hold_placed"),
  "action:releaseHold": member("settings:manage", "trailseal.hold_released"),
  "action:readExports": member("exports:manage", "shows_no_events"),
  "action:createExport": member("exports:manage", "trailseal.export_requested"),
  "action:cancelExport": member("exports:manage", "trailseal.export_cancelled"),
  "action:resumeExport": member("exports:manage", "trailseal.export_resumed"),
  "action:revokeExportLinks": member("exports:manage", "trailseal.export_links_revoked"),
  "action:deleteExport": member("exports:manage", "trailseal.export_deleted"),
  "action:readImports": member("events:import", "shows_no_events"),
  "action:recogniseImport": member("events:import", "rehearses"),
  "action:previewImport": member("events:import", "rehearses"),
  "action:startImport": member("events:import", "trailseal.import_started"),
  "action:cancelImport": member("events:import", "trailseal.import_finished"),
  "action:deleteImport": member("events:import", "trailseal.import_deleted"),
  "action:saveImportMapping": member("events:import", "trailseal.import_mapping_saved"),
  "action:deleteImportMapping": member("events:import", "trailseal.import_mapping_deleted"),
  "action:trySchema": administrator("schemas:manage", "rehearses"),
  "action:createActionSchema": instance("schemas:manage", "trailseal.schema_created"),
  "action:setUnknownActions": instance("schemas:manage", "trailseal.unknown_actions_changed"),
  "action:listEvents": member("events:read", "trailseal.events_searched"),
  "action:readEvent": member("events:read", "trailseal.event_viewed"),
  "action:readColumns": member("events:read", "completions"),
  "action:copyEvents": member("events:read", "trailseal.events_copied"),
  "action:readTimeline": member("events:read", "trailseal.timeline_viewed"),
  "action:readIngestion": member("overview:read", "counts"),
  "action:readViews": member("views:manage", "shows_no_events"),
  "action:createView": member("views:manage", "trailseal.view_shared"),
  "action:updateView": member("views:manage", [
    "trailseal.view_shared",
    "trailseal.view_changed",
    "trailseal.view_unshared",
  ]),
  "action:deleteView": member("views:manage", "trailseal.view_deleted"),
  "action:markView": member("views:manage", "ones_own"),
  "action:startVerification": member("integrity:verify", "trailseal.verification_started"),
  "action:askForDrill": member("integrity:verify", "trailseal.drill_requested"),
  "action:cancelVerification": member("integrity:verify", "trailseal.verification_cancelled"),
  "action:readVerification": member("integrity:read", "shows_no_events"),
  "action:createStream": member("streams:manage", "trailseal.stream_created"),
  "action:updateStream": member("streams:manage", "trailseal.stream_updated"),
  "action:testStream": member("streams:manage", "rehearses"),
  "action:previewStream": member("streams:manage", "trailseal.events_searched"),
  "action:pauseStream": member("streams:manage", "trailseal.stream_paused"),
  "action:resumeStream": member("streams:manage", "trailseal.stream_resumed"),
  "action:deleteStream": member("streams:manage", "trailseal.stream_deleted"),
  "action:readStreams": member("streams:read", "shows_no_events"),
  "action:readDeliveries": member("streams:manage", "shows_no_events"),
  "action:startBackfill": member("streams:manage", "trailseal.stream_backfill_started"),
  "action:cancelLane": member("streams:manage", "trailseal.stream_lane_cancelled"),
  "action:redrive": member("streams:manage", "trailseal.stream_redrive_started"),
  "action:discardDeadLetters": member("streams:manage", "trailseal.stream_dead_letters_discarded"),
  "action:moveCursor": member("streams:manage", "trailseal.stream_cursor_moved"),
  "action:rotateSecret": member("streams:manage", "trailseal.stream_secret_rotated"),
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

/** The events that tell of what is done at a place. */
export function sealedBy(accessKey: AccessKey): readonly string[] {
  const { seals } = access[accessKey];
  return [seals].flat().filter((name) => name.startsWith("trailseal."));
}

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
