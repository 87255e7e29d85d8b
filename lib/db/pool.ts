import pg from "pg";
import { getEnv } from "@/lib/env";
import { currentRequest } from "@/lib/http/request-context";
import { traceStatements } from "@/lib/tracing";

// Columns the pools hand out: bigint as a JavaScript number (seq stays far below 2^53), timestamps as
// Date, everything else as the driver has it.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number`);
  return value;
});

const CONNECT_TIMEOUT_MS = 5_000;
const CLIENT_SLACK_MS = 2_000;

/**
 * Replaces `pool.query` by one that cancels the statement in the database when the client of the current
 * request leaves. Neither Prisma's adapter nor our own code uses the callback form.
 */
function cancelWithRequest(pool: pg.Pool): void {
  const plain = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>;
  const query = async (...args: unknown[]): Promise<unknown> => {
    const signal = currentRequest()?.signal;
    if (!signal) return plain(...args);
    signal.throwIfAborted();
    const client = await pool.connect();
    const cancel = () => void cancelStatement(pool.options, client);
    signal.addEventListener("abort", cancel, { once: true });
    let failure: unknown;
    try {
      return await (client.query as (...args: unknown[]) => Promise<unknown>)(...args);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
      client.release(isConnectionFailure(failure));
    }
  };
  pool.query = query as typeof pool.query;
}

/** Ends the statement that a connection is busy with; without one it does nothing. */
export async function cancelStatement(
  options: pg.PoolOptions,
  victim: pg.PoolClient,
): Promise<void> {
  const { processID } = victim as unknown as { processID: number };
  const client = new pg.Client({ connectionString: options.connectionString });
  // A server that goes meanwhile is told twice: by what waits below, and here, where unhandled it would end us.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT pg_cancel_backend($1)", [processID]);
  } catch {
    // The statement ends by its own timeout.
  } finally {
    await client.end().catch(() => undefined);
  }
}

export interface PoolSettings {
  max?: number;
  statementTimeoutMs?: number;
  applicationName?: string;
}

export function createPool(connectionString: string, settings: PoolSettings = {}): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max: settings.max ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: settings.applicationName ?? "trailseal",
    statement_timeout: settings.statementTimeoutMs ?? 0,
    // A server that froze or lost its network cannot keep its own limit.
    ...(settings.statementTimeoutMs
      ? { query_timeout: settings.statementTimeoutMs + CLIENT_SLACK_MS }
      : {}),
  });
  // An idle connection that breaks is replaced on the next checkout; unhandled it would end the process.
  pool.on("error", () => undefined);
  // So does one that breaks between two statements of a transaction: the next statement reports it.
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    traceStatements(client);
  });
  cancelWithRequest(pool);
  return pool;
}

const registry = globalThis as unknown as { trailsealPools?: Map<string, pg.Pool> };
registry.trailsealPools ??= new Map();
const pools = registry.trailsealPools;

function sharedPool(
  name: string,
  settings: () => PoolSettings,
  url = process.env.DATABASE_URL,
): pg.Pool {
  if (!url) throw new Error("DATABASE_URL is not set: start through `npm start` or the CLI");
  const key = `${name} ${url}`;
  let pool = pools.get(key);
  if (!pool) {
    pool = createPool(url, settings());
    pools.set(key, pool);
  }
  return pool;
}

/** Dashboard reads: bounded by the statement timeout, cancelled with their request. */
export function readPool(): pg.Pool {
  return sharedPool("read", () => ({
    max: 12,
    statementTimeoutMs: getEnv().TRAILSEAL_STATEMENT_TIMEOUT_MS,
    applicationName: "trailseal-read",
  }));
}

/** Appends: short transactions; a stuck database fails them instead of hanging them. */
export function writePool(): pg.Pool {
  return sharedPool("write", () => ({
    max: 12,
    statementTimeoutMs: 10_000,
    applicationName: "trailseal-write",
  }));
}

/** COPY for people, verification: statements that may rightly take long. */
export function longPool(): pg.Pool {
  return sharedPool("long", () => ({ max: 8, applicationName: "trailseal-long" }));
}

/** Events for streams: downloads and verifications, however many, leave delivery its connections. */
export function deliveryPool(): pg.Pool {
  return sharedPool("delivery", () => ({ max: 8, applicationName: "trailseal-delivery" }));
}

/** What is signed: the one login that may store it. Without DATABASE_SIGNER_URL the app's may. */
export function signerPool(): pg.Pool {
  return sharedPool(
    "signer",
    () => ({ max: 2, applicationName: "trailseal-signer" }),
    process.env.DATABASE_SIGNER_URL || process.env.DATABASE_URL,
  );
}

/** Deletes what is past retention; null without DATABASE_RETENTION_URL. */
export function retentionPool(): pg.Pool | null {
  const url = process.env.DATABASE_RETENTION_URL;
  return url
    ? sharedPool("retention", () => ({ max: 2, applicationName: "trailseal-retention" }), url)
    : null;
}

export async function closePools(): Promise<void> {
  const open = [...pools.values()];
  pools.clear();
  await Promise.all(open.map((pool) => pool.end()));
}

/** Runs `work` in one transaction; rolls back and rethrows on failure. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  mode: "" | "ISOLATION LEVEL REPEATABLE READ READ ONLY" = "",
): Promise<T> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query(`BEGIN ${mode}`);
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    failure = error;
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  } finally {
    // A connection-level failure leaves the client unusable: destroy it instead of pooling it.
    client.release(isConnectionFailure(failure));
  }
}

/** SQLSTATE class 08, administrator shutdown, or a socket error: the server is gone, not the statement. */
export function isConnectionFailure(error: unknown): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  if (code !== undefined) {
    return (
      /^(08|57P0)/.test(code) ||
      ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOENT", "ETIMEDOUT"].includes(code)
    );
  }
  return (
    error instanceof Error &&
    /Connection terminated|not queryable|Query read timeout|timeout exceeded when trying to connect/.test(
      error.message,
    )
  );
}
