import type { Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import { type OpenDestination, openDestination } from "../registry";
import type { CreateStreamInput, SavedStream, StreamSummary, UpdateStreamInput } from "../schema";
import { FAILING } from "./alarms";
import { changeStream, recordChange } from "./audit";
import { checkUrl, EgressError, egressPolicy } from "./egress";
import { parseStreamFilter } from "./filter";
import { readSummaries } from "./health";
import { seqAt } from "./ranges";
import { sealAll } from "./seal-all";
import { storedSecretsSchema } from "./secrets";
import { findStream } from "./stream-rows";

const MAX_STREAMS = 50;
/** What a metadata value may hold. */
const VALUE_LENGTH = 500;

/** The organization's streams with their health, oldest first. */
export async function listStreams(scope: Scope): Promise<StreamSummary[]> {
  return readSummaries(scope);
}

/** @throws AppError not_found */
export async function getStream(scope: Scope, id: string): Promise<StreamSummary> {
  const [summary] = await readSummaries(scope, id);
  if (!summary) throw new AppError("not_found", "There is no such stream.");
  return summary;
}

/** @throws AppError for an address that deliveries may not go to. */
export function checkEndpoint(destination: OpenDestination): void {
  try {
    checkUrl(destination.endpoint, egressPolicy());
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const { message, advice } = error.problem;
    const entered = ["host", "url", "endpoint"].find((name) => name in destination.config);
    const field = `config.${entered ?? "url"}`;
    throw new AppError("invalid_request", `${message} ${advice}`, {
      errors: [{ field, code: `${message} ${advice}` }],
    });
  }
}

type Behaviour = Pick<
  CreateStreamInput,
  "format" | "filter" | "heartbeatMinutes" | "lagAlertMinutes"
>;

/** @throws AppError for a format that the destination does not have, and a filter that cannot be read */
function checkBehaviour(destination: OpenDestination, { format, filter }: Behaviour): void {
  if (format !== undefined) destination.chooseFormat(format);
  parseStreamFilter(filter ?? "");
}

const behaviourValues = (input: Behaviour) => [
  ...[input.format, input.filter?.trim(), input.heartbeatMinutes, input.lagAlertMinutes],
];

/** Saves a stream; delivery begins at once, at the log's start, at its head or at a time. */
export async function createStream(scope: Scope, input: CreateStreamInput): Promise<SavedStream> {
  const { organizationId } = scope;
  const destination = openDestination(input.destination, input.config);
  checkEndpoint(destination);
  const behaviour = { ...input, format: destination.chooseFormat(input.format) };
  checkBehaviour(destination, behaviour);
  const id = newId("stream");
  const owner = { organizationId, streamId: id };
  const { stored, generated } = sealAll(owner, destination, input.secrets, {}, false);
  const startsAt = /^(start|now)$/.test(input.from) ? null : await seqAt(scope, input.from);
  await inTransaction(writePool(), async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO streams (organization_id, id, name, destination, config, secrets, format, filter,
         heartbeat_minutes, lag_alert_minutes)
       SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($8, ''), coalesce($9, 60), coalesce($10, 60)
       WHERE (SELECT count(*) FROM streams WHERE organization_id = $1 AND deleted_at IS NULL) < $11`,
      [
        ...[organizationId, id, input.name, destination.id],
        ...[JSON.stringify(destination.config), JSON.stringify(stored)],
        ...[...behaviourValues(behaviour), MAX_STREAMS],
      ],
    );
    if (rowCount === 0)
      throw new AppError("conflict", `An organization has at most ${MAX_STREAMS} streams.`);
    const seq = await recordChange(client, scope, { id, name: input.name }, "created", {
      destination: destination.id,
      to: destination.description.slice(0, VALUE_LENGTH),
      from: input.from,
      ...(input.filter ? { filter: input.filter.slice(0, VALUE_LENGTH) } : {}),
    });
    await client.query(
      `INSERT INTO stream_state (organization_id, stream_id, state, cursor_seq, from_seq)
       SELECT $1, $2, 'active', place.seq, place.seq FROM log_heads h
       CROSS JOIN LATERAL (SELECT CASE $3 WHEN 'now' THEN $4 ELSE coalesce($5, h.first_seq) END AS seq) place
       WHERE h.organization_id = $1`,
      [organizationId, id, input.from, seq + 1, startsAt],
    );
  });
  return { stream: await getStream(scope, id), generatedSecrets: generated };
}

/**
 * Changes name, configuration, behaviour and secrets; the destination stays. A failing stream is tried at once.
 * @throws AppError when the host changes and a secret is not entered again.
 */
export async function updateStream(scope: Scope, input: UpdateStreamInput): Promise<SavedStream> {
  const { organizationId } = scope;
  const { id } = input;
  const found = await findStream(scope, id);
  const destination = openDestination(found.destination, input.config);
  checkEndpoint(destination);
  checkBehaviour(destination, input);
  const generated = await changeStream(scope, id, "updated", async (client) => {
    const { rows } = await client.query<Before>(
      `SELECT name, config, secrets, format, filter, heartbeat_minutes, lag_alert_minutes FROM streams
       WHERE organization_id = $1 AND id = $2 FOR UPDATE`,
      [organizationId, id],
    );
    const before = rows[0] as Before;
    const last = openSaved(found.destination, before.config);
    const mustReenter = last?.boundTo !== destination.boundTo;
    const owner = { organizationId, streamId: id };
    const known = storedSecretsSchema.parse(before.secrets);
    const sealed = sealAll(owner, destination, input.secrets, known, mustReenter);
    await client.query(
      `UPDATE streams SET name = $3, config = $4, secrets = $5, format = coalesce($6, format),
         filter = coalesce($7, filter), heartbeat_minutes = coalesce($8, heartbeat_minutes),
         lag_alert_minutes = coalesce($9, lag_alert_minutes), updated_at = now(),
         compared_from = CASE WHEN $10 OR format <> coalesce($6, format) OR filter <> coalesce($7, filter)
           THEN (SELECT t.cursor_seq FROM stream_state t
             WHERE t.organization_id = $1 AND t.stream_id = $2 AND t.lane = 'live')
           ELSE compared_from END
       WHERE organization_id = $1 AND id = $2`,
      [
        ...[organizationId, id, input.name, JSON.stringify(destination.config)],
        ...[JSON.stringify(sealed.stored), ...behaviourValues(input)],
        last?.description !== destination.description,
      ],
    );
    await client.query(
      "UPDATE stream_state SET next_attempt_at = now() WHERE organization_id = $1 AND stream_id = $2",
      [organizationId, id],
    );
    const secrets = Object.keys({ ...input.secrets, ...sealed.generated })
      .filter((name) => sealed.stored[name] !== known[name])
      .map((name) => `secrets.${name}`);
    const fields = [...changedFields(before, input, destination.config), ...secrets].join(", ");
    return { result: sealed.generated, metadata: { changed: fields.slice(0, VALUE_LENGTH) } };
  });
  return { stream: await getStream(scope, id), generatedSecrets: generated };
}

/** @returns null for what nothing can be delivered with */
function openSaved(id: string, config: unknown): OpenDestination | null {
  try {
    return openDestination(id, config);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

interface Before {
  name: string;
  config: Record<string, unknown>;
  secrets: unknown;
  format: string;
  filter: string;
  heartbeat_minutes: number;
  lag_alert_minutes: number;
}

/** Names of what is not as it was; values may be anybody's business. */
function changedFields(
  before: Before,
  input: UpdateStreamInput,
  config: Record<string, unknown>,
): string[] {
  const pairs: [name: string, before: unknown, after: unknown][] = [
    ["name", before.name, input.name],
    ["format", before.format, input.format ?? before.format],
    ["filter", before.filter, input.filter?.trim() ?? before.filter],
    ["heartbeat", before.heartbeat_minutes, input.heartbeatMinutes ?? before.heartbeat_minutes],
    ["lag_alert", before.lag_alert_minutes, input.lagAlertMinutes ?? before.lag_alert_minutes],
    ...Object.keys({ ...before.config, ...config }).map((name): [string, unknown, unknown] => [
      `config.${name}`,
      before.config[name],
      config[name],
    ]),
  ];
  return pairs
    .filter(([, old, fresh]) => JSON.stringify(old) !== JSON.stringify(fresh))
    .map(([name]) => name);
}

/** Stops delivery and its jobs; the place in the log is kept for as long as the stream exists. */
export async function pauseStream(scope: Scope, id: string): Promise<StreamSummary> {
  await changeStream(scope, id, "paused", async (client) => {
    await client.query(
      `UPDATE stream_state SET state = 'paused'
       WHERE organization_id = $1 AND stream_id = $2 AND finished_at IS NULL`,
      [scope.organizationId, id],
    );
    return { result: undefined };
  });
  return getStream(scope, id);
}

/** Goes on where delivery stopped; also ends the waiting of a failing or disabled stream. */
export async function resumeStream(scope: Scope, id: string): Promise<StreamSummary> {
  await changeStream(scope, id, "resumed", async (client) => {
    await client.query(
      "UPDATE streams SET updated_at = now() WHERE organization_id = $1 AND id = $2",
      [scope.organizationId, id],
    );
    await client.query(
      `UPDATE stream_state SET state = 'active', failures = 0, first_failure_at = NULL, next_attempt_at = now(),
         alerted = ARRAY(SELECT word FROM unnest(alerted) AS word WHERE word <> ALL($3))
       WHERE organization_id = $1 AND stream_id = $2 AND finished_at IS NULL`,
      [scope.organizationId, id, FAILING],
    );
    return { result: undefined };
  });
  return getStream(scope, id);
}

/** Hides the stream, stops it with its jobs and forgets its secrets. What was delivered stays at the receiver. */
export async function deleteStream(scope: Scope, id: string): Promise<void> {
  await changeStream(scope, id, "deleted", async (client) => {
    const key = [scope.organizationId, id];
    await client.query(
      "UPDATE streams SET deleted_at = now(), secrets = '{}' WHERE organization_id = $1 AND id = $2",
      key,
    );
    const { rows } = await client.query<{ lane: string; cursor_seq: number; delivered: number }>(
      `UPDATE stream_state SET state = 'disabled', lease_epoch = lease_epoch + 1,
         finished_at = coalesce(finished_at, now())
       WHERE organization_id = $1 AND stream_id = $2 RETURNING lane, cursor_seq, delivered`,
      key,
    );
    const live = rows.find(({ lane }) => lane === "live");
    const metadata = {
      cursor_seq: String(live?.cursor_seq),
      delivered: String(live?.delivered),
    };
    return { result: undefined, metadata };
  });
}
