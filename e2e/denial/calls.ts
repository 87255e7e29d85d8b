import type { Holdings } from "./tenant";

/** How an action is called; `args` come after the organization. */
export interface ActionCall {
  args(held: Holdings): unknown[];
  /** Whoever may do it is refused its input, where it is not the point that it is done. */
  changes: boolean;
  /** What it answers to whoever may do it, where it cannot be done on a server of tests. */
  answered?: string;
}

const reads = (args: ActionCall["args"] = () => []): ActionCall => ({ args, changes: false });
const changes = (args: ActionCall["args"] = () => []): ActionCall => ({ args, changes: true });

/** Of a file that is an event a line. */
const setUp = { mapping: null, guard: null };
export const mapping = {
  mapping_version: 1,
  source: "crm",
  action: { column: "what" },
  occurred_at: { column: "when", format: "iso" },
  actor: { type: { constant: "user" }, id: { column: "who" } },
};

/** Nobody listens there. */
const webhook = { destination: "webhook", config: { url: "https://127.0.0.1:9/audit" } };
const schema = { targets: [{ type: "doc" }] };
const view = (name: string) => ({ name, isShared: true, search: "", layout: {} });

/**
 * How each action within an organization is called so that it is done, for somebody who may: in this order, one
 * after the other, on what one tenant holds.
 */
export const actionCalls: Record<string, ActionCall> = {
  listEventsAction: reads(({ cursor }) => ["", { after: cursor }]),
  readEventAction: reads(({ event }) => [event]),
  readColumnsAction: reads(({ seq, recordedAt }) => [[{ seq, recordedAt }], ["actor.name"]]),
  copyEventsAction: reads(({ event }) => [[event], "csv"]),
  readTimelineAction: reads(({ actor, cursor }) => [`actor=user:${actor}`, "after", cursor]),
  readIngestionAction: reads(),
  readViewsAction: reads(),
  readExportsAction: reads(),
  readVerificationAction: reads(({ verification }) => [verification]),
  readStreamsAction: reads(),
  readStreamAction: reads(({ stream }) => [stream]),
  checkDraftAction: reads(() => [webhook]),
  previewStreamAction: reads(() => [webhook]),
  testDraftAction: reads(() => [webhook]),
  testStreamAction: reads(({ stream }) => [stream]),
  listAttemptsAction: reads(({ stream }) => [{ id: stream }]),
  readLanesAction: reads(({ stream }) => [stream]),
  listDeadLettersAction: reads(({ stream }) => [stream]),
  estimateRangeAction: reads(() => [{ fromSeq: 0 }]),
  previewRetentionAction: reads(() => [30]),
  readImportsAction: reads(() => [null]),
  previewImportAction: reads(({ upload }) => [upload, setUp]),
  trySchemaAction: reads(() => [{ action: "user.signed_in", schema }]),

  createViewAction: changes(({ actor }) => [view(actor)]),
  updateViewAction: changes(({ view }) => [view, { name: "Renamed" }]),
  markViewAction: changes(({ view }) => [view, { isStarred: true }]),
  deleteViewAction: changes(({ view }) => [view]),
  createExportAction: changes(() => [{ query: "", format: "csv", options: {} }]),
  cancelExportAction: changes(({ exportRunning }) => [exportRunning]),
  resumeExportAction: changes(({ exportFailed }) => [exportFailed]),
  revokeExportLinksAction: changes(({ exportReady }) => [exportReady]),
  deleteExportAction: changes(({ exportReady }) => [exportReady]),
  recogniseImportAction: changes(({ upload }) => [upload, { format: "ndjson", delimiter: null }]),
  startImportAction: changes(({ upload }) => [upload, setUp]),
  cancelImportAction: changes(({ importRunning }) => [importRunning]),
  deleteImportAction: changes(({ importDone }) => [importDone]),
  saveImportMappingAction: changes(({ actor }) => [actor, mapping]),
  deleteImportMappingAction: changes(({ mappingName }) => [mappingName]),
  startVerificationAction: changes(),
  cancelVerificationAction: changes(({ verification }) => [verification]),
  askForDrillAction: changes(),
  createStreamAction: changes(({ actor }) => [{ ...webhook, name: actor, from: "now" }]),
  updateStreamAction: changes(({ stream }) => [
    { id: stream, name: "Renamed", config: webhook.config },
  ]),
  rotateSecretAction: changes(({ stream }) => [{ id: stream, name: "signing_secret" }]),
  cancelLaneAction: changes(({ stream, lane }) => [{ id: stream, lane }]),
  startBackfillAction: changes(({ stream }) => [{ id: stream, fromSeq: 0, toSeq: 2 }]),
  redriveAction: changes(({ stream }) => [{ id: stream, seqs: [1] }]),
  discardDeadLettersAction: changes(({ stream }) => [{ id: stream, seqs: [2] }]),
  // It forgets what is set aside from there on.
  moveCursorAction: changes(({ stream }) => [{ id: stream, toSeq: 1, reason: "again" }]),
  resumeStreamAction: changes(({ stream }) => [stream]),
  pauseStreamAction: changes(({ stream }) => [stream]),
  deleteStreamAction: changes(({ stream }) => [stream]),
  inviteAction: changes(({ actor }) => [{ email: `${actor}@example.com`, role: "viewer" }]),
  makePortalLinkAction: changes(() => [{ intent: "audit_logs", mailTo: null }]),
  revokePortalLinkAction: changes(({ portalLink }) => [portalLink]),
  revokeInvitationAction: changes(({ invitation }) => [invitation]),
  changeSightAction: changes(({ member }) => [
    { userId: member, sight: { filter: "action:user.*", hidden: ["ip"] } },
  ]),
  changeRoleAction: changes(({ member }) => [{ userId: member, role: "auditor" }]),
  removeMemberAction: changes(({ member }) => [member]),
  restoreMemberAction: changes(({ formerMember }) => [formerMember]),
  createIdentityProviderAction: changes(({ actor }) => [{ name: actor }]),
  checkIssuerAction: reads(() => ["https://127.0.0.1:9"]),
  requireSingleSignOnAction: changes(() => [false]),
  setIdentityDomainsAction: changes(({ identityProvider }) => [
    { id: identityProvider, domains: ["denied.example"] },
  ]),
  changeIdentityProviderAction: changes(({ identityProvider }) => [
    {
      ...{ id: identityProvider, name: "Renamed", issuer: "https://127.0.0.1:9", clientId: "c" },
      ...{ clientSecret: "s", scopes: "openid", groupsClaim: "groups", groupRoles: [] },
      ...{ defaultRole: null, isEnabled: false },
    },
  ]),
  deleteIdentityProviderAction: changes(({ identityProvider }) => [identityProvider]),
  createApiKeyAction: changes(({ actor }) => [{ name: actor, permissions: ["events:write"] }]),
  rotateApiKeyAction: changes(({ key }) => [{ id: key, overlapHours: 1 }]),
  revokeApiKeyAction: changes(({ key }) => [key]),
  setRetentionAction: changes(() => [{ days: 365, undelivered: "hold" }]),
  setReadSamplingAction: changes(() => [10]),
  placeHoldAction: changes(({ actor }) => [`for ${actor}`]),
  releaseHoldAction: changes(({ hold }) => [{ id: hold, reason: "over" }]),

  createActionSchemaAction: changes(() => [{ action: "denial.suite", schema }]),
  setUnknownActionsAction: changes(() => ["refuse"]),
  createInstanceApiKeyAction: changes(() => [{ name: "i", permissions: ["admin"] }]),
  rotateInstanceApiKeyAction: changes(({ key }) => [{ id: key, overlapHours: 1 }]),
  revokeInstanceApiKeyAction: changes(({ key }) => [key]),
};

/** Those that know no organization: the whole of their arguments. */
export const bareCalls: Record<string, ActionCall> = {
  createOrganizationAction: changes(() => ["Denied"]),
  acceptInvitationAction: changes(() => ["guess"]),
  saveBrandingAction: changes(() => [{ name: "Denied", colour: null, returnAddresses: [] }]),
  sendTestMailAction: { ...reads(), answered: "conflict" },
  changeNameAction: changes(() => [{ name: "Denied" }]),
  changePasswordAction: changes(() => [{ password: "guess", newPassword: "correct horse" }]),
  endSessionAction: changes(() => ["ses_01JZ8Q4M7N2V5X9C3B6T0R1KDH"]),
  startSecondFactorAction: changes(() => [{ password: "guess" }]),
  confirmSecondFactorAction: changes(() => [{ code: "000000" }]),
  renewRecoveryCodesAction: changes(() => [{ password: "guess", code: "000000" }]),
  disableSecondFactorAction: changes(() => [{ password: "guess", code: "000000" }]),
};

/** What comes after an organization's page or handler in its address, in braces what the tenant holds. */
export const addresses: Record<string, string> = {
  "page:/o/[org]/timeline": "?actor=user:{actor}",
  "page:/o/[org]/integrity/streams/[id]": "/o/{organization}/integrity/streams/{stream}",
  "page:/o/[org]/schemas/action": "?name=user.signed_in",
  "handler:/o/[org]/exports/[id]/file": "/o/{organization}/exports/{exportReady}/file",
  "handler:/o/[org]/exports/[id]/manifest": "/o/{organization}/exports/{exportReady}/manifest",
  "page:/o/[org]/import/[id]": "/o/{organization}/import/{upload}",
  "handler:/o/[org]/import/[id]/rejects": "/o/{organization}/import/{importDone}/rejects",
  "handler:/o/[org]/import/upload": "?name=denied.ndjson",
  "handler:/o/[org]/events/csv": "",
  "handler:/o/[org]/events/subjects": "?role=actor&text={actor}",
  "handler:/o/[org]/events/facets": "?field=action",
  "handler:/o/[org]/events/values": "?field=action&prefix=user",
  "handler:/o/[org]/events/restored": "?q=action:user.signed_in",
  "handler:/o/[org]/integrity/bundle": "",
  "handler:/o/[org]/events/proof": "?id={event}",
  "handler:/o/[org]/events/proofs": "?seqs={seq}",
  "handler:/o/[org]/events/oldest": "",
  "handler:/o/[org]/events/deliveries": "?seq={seq}",
  "handler:/o/[org]/events/histogram": "",
  // Without `poll` it has no end to wait for.
  "handler:/o/[org]/events/tail": "?poll=1&from_seq=-1",
  "handler:/o/[org]/timeline/days": "?actor=user:{actor}&starts=1700000000000,1900000000000",
  "handler:/o/[org]/timeline/usual": "?actor=user:{actor}",
};
