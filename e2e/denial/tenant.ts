import { randomBytes } from "node:crypto";
import type { APIRequestContext } from "@playwright/test";
import type { KeyPermission } from "../../lib/auth/permissions";
import { newId } from "../../lib/ids";
import { expect } from "../fixtures";
import { putExport } from "../fixtures/export-states";
import { runSql } from "../fixtures/log";
import type { TestServer } from "../server";
import { actionCalls, mapping } from "./calls";
import { actions, callAction, resultOf } from "./places";
import { createMember, type Playwright, visit } from "./visitor";

/** Everything of a tenant that somebody can name in a request. */
export interface Holdings {
  organization: string;
  externalId: string;
  contact: string;
  event: string;
  /** Where its newest event is: each tenant has events at the same numbers. */
  seq: number;
  recordedAt: string;
  cursor: string;
  actor: string;
  exportReady: string;
  exportRunning: string;
  exportFailed: string;
  stream: string;
  lane: string;
  view: string;
  hold: string;
  member: string;
  formerMember: string;
  invitation: string;
  key: string;
  verification: string;
  upload: string;
  importRunning: string;
  /** With rejected lines. */
  importDone: string;
  mappingName: string;
  portalLink: string;
  identityProvider: string;
}

export interface Tenant extends Holdings {
  /** In all that the tenant has, and nowhere else. */
  canary: string;
  owner: APIRequestContext;
  /** Of the tenant, with every permission. */
  secret: string;
  invitationToken: string;
}

const EVENTS = 12;

/** A key of the organization, or with null of the instance. */
export async function putKey(
  server: TestServer,
  organizationId: string | null,
  permissions: KeyPermission[],
  name = "e2e",
): Promise<{ id: string; secret: string }> {
  const secret = `sk_${randomBytes(32).toString("base64url")}`;
  const id = newId("apiKey");
  await runSql(server, [
    `INSERT INTO api_keys (id, name, organization_id, key_hash, last4, permissions)
     VALUES ($1, $2, $3, sha256($4::text::bytea), $5, $6)`,
    [id, name, organizationId, secret, secret.slice(-4), permissions],
  ]);
  return { id, secret };
}

/** A file of an event and a line that is none. */
async function putUpload(
  owner: APIRequestContext,
  organization: string,
  canary: string,
): Promise<string> {
  const event = {
    action: "doc.imported",
    occurred_at: "2026-03-02T06:00:00Z",
    actor: { type: "user", id: "u1", name: canary },
    targets: [],
  };
  const path = `/o/${organization}/import/upload?name=${canary}.ndjson`;
  const response = await owner.post(path, {
    data: `${JSON.stringify(event)}\n{"no": "${canary}"}\n`,
  });
  expect(response.status(), path).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

/** An organization with one of everything. */
export async function createTenant(
  playwright: Playwright,
  server: TestServer,
  canary: string,
): Promise<Tenant> {
  const api = async (path: string, data?: object, secret = process.env.TRAILSEAL_TEST_KEY) => {
    const response = await fetch(server.url + path, {
      method: data ? "POST" : "GET",
      headers: { authorization: `Bearer ${secret}` },
      ...(data ? { body: JSON.stringify(data) } : {}),
    });
    expect(response.ok, `${path} ${response.status}`).toBe(true);
    return (await response.json()) as Record<string, string>;
  };
  // Ids come back in answers to whoever sends them: what gives a tenant away is not in them.
  const [externalId, actor] = [newId("organization"), newId("user")];
  const named = { name: `${canary} Ltd`, external_id: externalId };
  const { id: organization = "" } = await api("/organizations", named);
  await runSql(server, [
    "UPDATE organizations SET read_sampling = 1 WHERE id = $1",
    [organization],
  ]);
  const { secret } = await putKey(server, organization, ["admin"], canary);
  const key = await putKey(server, organization, ["events:write"], canary);
  const occurredAt = new Date(Date.now() - 60_000).toISOString();
  await api(
    `/v1/events/batch?organization_id=${organization}`,
    Array.from({ length: EVENTS }, (_, number) => ({
      event: {
        action: "user.signed_in",
        occurred_at: occurredAt,
        actor: { type: "user", id: actor, name: canary },
        targets: [{ type: "doc", id: `doc-${number}`, name: canary }],
        context: { location: "10.0.0.1", user_agent: canary },
        metadata: { note: canary },
      },
    })) as object,
    secret,
  );
  const member = await createMember(server, organization, "owner");
  const owner = await visit(playwright, server, member);
  const done = async <T>(name: string, ...args: unknown[]): Promise<T> => {
    const action = actions.find(([, { exportedName }]) => exportedName === name);
    if (!action) throw new Error(`There is no action ${name}`);
    const result = await resultOf(
      await callAction(owner, action, organization, [organization, ...args]),
    );
    expect(result, name).toMatchObject({ ok: true });
    return (result as unknown as { data: T }).data;
  };
  const call = <T>(name: string, held: Partial<Holdings> = {}) =>
    done<T>(name, ...(actionCalls[name]?.args({ ...held, actor } as Holdings) ?? []));

  const { id: contact = "" } = await api(`/organizations/${organization}/it_contacts`, {
    email: `contact-${canary}@example.com`,
  });
  const view = await call<{ id: string }>("createViewAction");
  await call("placeHoldAction");
  const { link } = await call<{ link: string }>("inviteAction");
  await call("makePortalLinkAction");
  const { stream } = await call<{ stream: { id: string } }>("createStreamAction");
  const { id: verification } = await call<{ id: string }>("startVerificationAction");
  const made = await call<{ id: string }>("createExportAction");
  const { id: identityProvider } = await call<{ id: string }>("createIdentityProviderAction");
  const mappingName = newId("view");
  await done("saveImportMappingAction", mappingName, mapping);
  const [importDone, upload] = [
    await putUpload(owner, organization, canary),
    await putUpload(owner, organization, canary),
  ];
  await call("startImportAction", { upload: importDone });
  const importRunning = newId("import");
  const formerMember = await createMember(server, organization, "auditor");
  const otherMember = await createMember(server, organization, "viewer");
  const lane = newId("lane");
  const ofStream = [organization, stream.id];
  const [holdRow] = await runSql<{ id: string; invitation: string; portal: string }>(
    server,
    ["UPDATE memberships SET removed_at = now() WHERE user_id = $1", [formerMember.id]],
    // At rest: what changes is what a request changed.
    [
      `UPDATE stream_state SET state = 'paused', cursor_seq = 3, next_attempt_at = now() + interval '1 day'
       WHERE organization_id = $1 AND stream_id = $2`,
      ofStream,
    ],
    [
      `INSERT INTO dead_letters (organization_id, stream_id, seq, reason)
       VALUES ($1, $2, 1, 'refused'), ($1, $2, 2, 'refused')`,
      ofStream,
    ],
    [
      `INSERT INTO stream_state (organization_id, stream_id, lane, kind, state, cursor_seq, from_seq, to_seq, created_by,
         next_attempt_at) VALUES ($1, $2, $3, 'backfill', 'paused', 1, 0, 4, 'e2e', now() + interval '1 day')`,
      [...ofStream, lane],
    ],
    // Nobody's: no worker takes it up.
    [
      `INSERT INTO imports (organization_id, id, state, file_name, bytes, sha256, packed, source, setup, created_by,
         lease_until, attempt, tries, started_at)
       SELECT organization_id, $3, 'running', file_name, bytes, sha256, packed, source, $4, created_by,
         now() + interval '1 day', 1, 1, now() FROM imports WHERE organization_id = $1 AND id = $2`,
      [organization, upload, importRunning, JSON.stringify({ mapping: null, guard: null })],
    ],
    [
      `SELECT id, (SELECT id FROM invitations WHERE organization_id = $1) AS invitation,
         (SELECT id FROM portal_sessions WHERE organization_id = $1) AS portal
       FROM legal_holds WHERE organization_id = $1`,
      [organization],
    ],
  );
  const list = await api(
    `/v1/events?organization_id=${organization}&q=action:user.signed_in&limit=2`,
    undefined,
    secret,
  );
  const { data, list_metadata: cursors } = list as unknown as {
    data: { seq: number; recorded_at: string; event: { id: string } }[];
    list_metadata: { after: string };
  };
  const [newest] = data;
  if (!newest || !holdRow) throw new Error("The tenant is not complete");
  const tenant: Tenant = {
    ...{ organization, externalId, contact, actor, canary, owner, secret, lane, verification },
    ...{ upload, importRunning, importDone, mappingName, identityProvider },
    ...{
      event: newest.event.id,
      seq: newest.seq,
      recordedAt: newest.recorded_at,
      cursor: cursors.after,
    },
    exportReady: made.id,
    exportRunning: await putExport(server, organization, { state: "running" }),
    exportFailed: await putExport(server, organization, { state: "failed", error: canary }),
    stream: stream.id,
    view: view.id,
    hold: holdRow.id,
    invitation: holdRow.invitation,
    portalLink: holdRow.portal,
    invitationToken: new URL(link).searchParams.get("token") ?? "",
    member: otherMember.id,
    formerMember: formerMember.id,
    key: key.id,
  };
  // Both end by themselves: until then the digest moves.
  await expect
    .poll(async () => (await api(`/audit_logs/exports/${made.id}`, undefined, secret)).state)
    .toBe("ready");
  await expect
    .poll(async () => call<{ state: string }>("readVerificationAction", { verification }))
    .toMatchObject({ state: "succeeded" });
  await expect
    .poll(() => runSql(server, ["SELECT state FROM imports WHERE id = $1", [importDone]]))
    .toEqual([{ state: "done" }]);
  return tenant;
}

/** Ids of the same kinds that nobody ever had; places in a log are those of `like`, which every log has. */
export function unknownHoldings(like: Holdings): Holdings {
  return Object.fromEntries(
    Object.entries(like).map(([name, value]) => {
      const isId = typeof value === "string" && /_[0-9A-HJKMNP-TV-Z]{26}$/.test(value);
      return [name, isId ? value.slice(0, -26) + newId("event").slice(-26) : value];
    }),
  ) as unknown as Holdings;
}

/** Written by workers as they go, whoever asks: what people do never shows there alone. */
const WORKERS_TABLES = [
  ...["checkpoints", "tiles", "followers", "log_watches", "witness_states", "alerts"],
  ...["rollup_hourly", "rollup_actions_daily", "rollup_keys_hourly", "directory_entries"],
];
const WORKERS_COLUMNS = [
  ...["last_used_at", "lease_owner", "lease_until", "lease_epoch", "checkpoint_size"],
  ...["checkpoint_sent_at", "alerted"],
];

/** What an event of the log itself moves. */
const LOG_TABLES = ["events", "event_targets", "idempotency_keys", "log_heads"];

/** A digest as far as it says whether anything but the log moved. */
export const withoutLog = (digest: Record<string, string>) =>
  Object.fromEntries(Object.entries(digest).filter(([table]) => !LOG_TABLES.includes(table)));

/** The actions of the log itself that were sealed from a number on. */
export async function sealedFrom(
  server: TestServer,
  organizationId: string,
  seq: number,
): Promise<string[]> {
  const rows = await runSql<{ action: string }>(server, [
    "SELECT DISTINCT action FROM events WHERE organization_id = $1 AND seq >= $2 AND action LIKE 'trailseal.%'",
    [organizationId, seq],
  ]);
  return rows.map(({ action }) => action).sort();
}

export async function nextSeq(server: TestServer, organizationId: string): Promise<number> {
  const [head] = await runSql<{ next_seq: string }>(server, [
    "SELECT next_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  ]);
  return Number(head?.next_seq);
}

/** A hash of each table's rows of a tenant: the same, as long as nobody changed anything. */
export async function digestOf(
  server: TestServer,
  organizationId: string,
): Promise<Record<string, string>> {
  const tables = await runSql<{ name: string; id: string }>(
    server,
    `SELECT table_name AS name, column_name AS id FROM information_schema.columns
     JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name !~ '_[0-9]{4}_[0-9]{2}$'
       AND (column_name = 'organization_id' OR table_name = 'organizations' AND column_name = 'id')`,
  );
  const kept = tables.filter(({ name }) => !WORKERS_TABLES.includes(name));
  const parts = kept.map(
    ({
      name,
      id,
    }) => `SELECT '${name}' AS name, count(*) || ' ' || coalesce(md5(string_agg(row, '|' ORDER BY row)), '')
       AS digest FROM (SELECT md5((to_jsonb(t) - $2::text[])::text) AS row FROM "${name}" t WHERE "${id}" = $1) rows`,
  );
  const rows = await runSql<{ name: string; digest: string }>(server, [
    parts.join(" UNION ALL "),
    [organizationId, WORKERS_COLUMNS],
  ]);
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}
