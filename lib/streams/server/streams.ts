import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import { type OpenDestination, openDestination } from "../registry";
import type {
  CreateStreamInput,
  DeadLetter,
  SavedStream,
  StreamSummary,
  UpdateStreamInput,
} from "../schema";
import { checkUrl, EgressError, egressPolicy } from "./egress";
import { readSummaries } from "./health";
import { type SecretOwner, type StoredSecrets, sealSecret } from "./secrets";
import { findStream } from "./stream-rows";

const MAX_STREAMS = 50;
const DEAD_LETTERS_SHOWN = 100;

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

/** The newest events that a receiver refused on their own, and why. */
export async function listDeadLetters(scope: Scope, streamId: string): Promise<DeadLetter[]> {
  const rows = await getPrisma().deadLetter.findMany({
    where: { organizationId: scope.organizationId, streamId },
    orderBy: { seq: "desc" },
    take: DEAD_LETTERS_SHOWN,
  });
  return rows.map((row) => ({
    seq: Number(row.seq),
    reason: row.reason,
    createdAt: row.createdAt.toISOString(),
  }));
}

function checkEndpoint(destination: OpenDestination): void {
  try {
    checkUrl(destination.url, egressPolicy());
  } catch (error) {
    if (!(error instanceof EgressError)) throw error;
    const { message, advice } = error.problem;
    throw new AppError("invalid_request", `${message} ${advice}`, {
      errors: [{ field: "config.url", code: `${message} ${advice}` }],
    });
  }
}

interface SealedSecrets {
  stored: StoredSecrets;
  /** Values made here, which nobody has seen: to be shown once. */
  generated: Record<string, string>;
}

function sealAll(
  owner: SecretOwner,
  destination: OpenDestination,
  given: Record<string, string>,
  previous: StoredSecrets,
  mustReenter: boolean,
): SealedSecrets {
  const unknown = Object.keys(given).find((name) => !destination.secretNames.includes(name));
  if (unknown !== undefined) {
    throw new AppError("invalid_request", `${unknown} is not a secret of this destination.`);
  }
  const stored: StoredSecrets = {};
  const generated: Record<string, string> = {};
  for (const name of destination.secretNames) {
    const entered = given[name]?.trim() || undefined;
    const kept = previous[name];
    if (entered !== undefined) {
      stored[name] = sealSecret(owner, name, destination.parseSecret(name, entered), kept);
    } else if (kept && !mustReenter) {
      stored[name] = kept;
    } else {
      const made = kept ? null : destination.generateSecret(name);
      if (made === null) throw missingSecret(name, Boolean(kept));
      generated[name] = made;
      stored[name] = sealSecret(owner, name, made);
    }
  }
  return { stored, generated };
}

function missingSecret(name: string, hostChanged: boolean): AppError {
  const message = hostChanged
    ? "The address has another host. Enter the secrets again, so that none reaches a host it was not meant for."
    : "A secret is missing.";
  return new AppError("invalid_request", message, {
    errors: [
      { field: `secrets.${name}`, code: hostChanged ? "Enter it again." : "Enter a value." },
    ],
  });
}

/** Saves a stream; delivery begins at once, at the log's start or at its head. */
export async function createStream(scope: Scope, input: CreateStreamInput): Promise<SavedStream> {
  const { organizationId } = scope;
  const destination = openDestination(input.destination, input.config);
  checkEndpoint(destination);
  const id = newId("stream");
  const { stored, generated } = sealAll(
    { organizationId, streamId: id },
    destination,
    input.secrets,
    {},
    false,
  );
  await getPrisma().$transaction(async (transaction) => {
    const head = await transaction.logHead.findFirst({ where: { organizationId } });
    if (!head) throw new AppError("not_found", "There is no such organization.");
    const existing = await transaction.stream.count({ where: { organizationId, deletedAt: null } });
    if (existing >= MAX_STREAMS) {
      throw new AppError("conflict", `An organization has at most ${MAX_STREAMS} streams.`);
    }
    const config = { ...destination.config };
    await transaction.stream.create({
      data: {
        organizationId,
        id,
        name: input.name,
        destination: destination.id,
        config,
        secrets: stored,
      },
    });
    const cursorSeq = input.from === "now" ? head.nextSeq : head.firstSeq;
    await transaction.streamState.create({
      data: { organizationId, streamId: id, state: "active", cursorSeq },
    });
  });
  return { stream: await getStream(scope, id), generatedSecrets: generated };
}

/**
 * Changes name, configuration and secrets; the destination stays. A failing stream is tried at once.
 * @throws AppError when the host changes and a secret is not entered again.
 */
export async function updateStream(scope: Scope, input: UpdateStreamInput): Promise<SavedStream> {
  const { organizationId } = scope;
  const before = await findStream(scope, input.id);
  const destination = openDestination(before.destination, input.config);
  checkEndpoint(destination);
  const oldUrl = openDestination(before.destination, before.config).url;
  const hostChanged = new URL(oldUrl).origin !== new URL(destination.url).origin;
  const owner = { organizationId, streamId: input.id };
  const { stored, generated } = sealAll(
    owner,
    destination,
    input.secrets,
    before.secrets,
    hostChanged,
  );
  const where = { organizationId, id: input.id, deletedAt: null };
  const config = { ...destination.config };
  await getPrisma().$transaction([
    getPrisma().stream.updateMany({
      where,
      data: { name: input.name, config, secrets: stored, updatedAt: new Date() },
    }),
    getPrisma().streamState.updateMany({
      where: { organizationId, streamId: input.id },
      data: { nextAttemptAt: new Date() },
    }),
  ]);
  return { stream: await getStream(scope, input.id), generatedSecrets: generated };
}

/** Stops delivery; the place in the log is kept for as long as the stream exists. */
export async function pauseStream(scope: Scope, id: string): Promise<StreamSummary> {
  await findStream(scope, id);
  await getPrisma().streamState.updateMany({
    where: { organizationId: scope.organizationId, streamId: id },
    data: { state: "paused" },
  });
  return getStream(scope, id);
}

/** Goes on where delivery stopped; also ends the waiting of a failing or disabled stream. */
export async function resumeStream(scope: Scope, id: string): Promise<StreamSummary> {
  await findStream(scope, id);
  await getPrisma().streamState.updateMany({
    where: { organizationId: scope.organizationId, streamId: id },
    data: { state: "active", failures: 0, firstFailureAt: null, nextAttemptAt: new Date() },
  });
  return getStream(scope, id);
}

/** Hides the stream, stops it and forgets its secrets. What was delivered stays at the receiver. */
export async function deleteStream(scope: Scope, id: string): Promise<void> {
  const { organizationId } = scope;
  await findStream(scope, id);
  await getPrisma().$transaction([
    getPrisma().stream.updateMany({
      where: { organizationId, id, deletedAt: null },
      data: { deletedAt: new Date(), secrets: {} },
    }),
    getPrisma().streamState.updateMany({
      where: { organizationId, streamId: id },
      data: { state: "disabled", leaseEpoch: { increment: 1 } },
    }),
  ]);
}
