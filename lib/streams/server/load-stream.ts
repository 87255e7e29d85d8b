import { writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { EventFilter } from "@/lib/events/filter/ast";
import type { Secrets } from "../destination";
import type { FormatId } from "../formats";
import { problem } from "../problems";
import { type OpenDestination, openDestination } from "../registry";
import type { Problem } from "../schema";
import { parseStreamFilter } from "./filter";
import type { StreamKey } from "./lease";
import { openSecrets, SecretUnreadableError, storedSecretsSchema } from "./secrets";

/** Configuration as saved, ready to deliver with. */
export interface LoadedStream {
  format: FormatId;
  filterText: string;
  filter: EventFilter | null;
  heartbeatMinutes: number;
  /** Changes with every change of the stream. */
  version: string;
  destination: OpenDestination;
  secrets: Secrets;
}

/** What is saved cannot be delivered with, until somebody changes it. */
export class Unusable extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

function unusable(error: unknown): never {
  if (error instanceof SecretUnreadableError) throw new Unusable(error.problem);
  if (!(error instanceof AppError)) throw error;
  const advice = "Open the stream's settings, correct that and save. Nothing is lost meanwhile.";
  const code = error.code === "invalid_filter" ? "filter_unreadable" : "configuration";
  throw new Unusable(problem(code, error.message, advice));
}

/** @returns null when the stream was deleted @throws Unusable */
export async function loadStream({
  organizationId,
  streamId,
}: StreamKey): Promise<LoadedStream | null> {
  const { rows } = await writePool().query<{
    destination: string;
    config: unknown;
    secrets: unknown;
    format: FormatId;
    filter: string;
    heartbeat_minutes: number;
    updated_at: Date;
  }>(
    `SELECT destination, config, secrets, format, filter, heartbeat_minutes, updated_at FROM streams
     WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [organizationId, streamId],
  );
  const [row] = rows;
  if (!row) return null;
  try {
    const destination = openDestination(row.destination, row.config);
    const stored = storedSecretsSchema.parse(row.secrets);
    return {
      format: row.format,
      filterText: row.filter,
      filter: parseStreamFilter(row.filter),
      heartbeatMinutes: row.heartbeat_minutes,
      version: row.updated_at.toISOString(),
      destination,
      secrets: openSecrets({ organizationId, streamId }, stored, destination.secretNames),
    };
  } catch (error) {
    return unusable(error);
  }
}
