import pino, { type Logger } from "pino";
import { getEnv } from "@/lib/env";
import { currentRequest } from "@/lib/http/request-context";

/**
 * What went wrong and by which code path, without what a database adds in `detail`: that repeats values.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return { name, message, code, stack, ...(cause ? { cause: describeError(cause) } : {}) };
}

let made: Logger | undefined;

/**
 * The program's log: JSON lines on standard error, each with the request it is about. Nobody's address,
 * query or body goes into it.
 */
export function log(): Logger {
  made ??= pino(
    {
      level: getEnv().TRAILSEAL_LOG_LEVEL,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError },
      mixin: () => {
        const request = currentRequest();
        return request ? { request_id: request.requestId, api_key_id: request.apiKeyId } : {};
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
  return made;
}
