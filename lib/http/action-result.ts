import type { z } from "zod";
import type {
  InstanceAccessKey,
  OrganizationAccessKey,
  PublicAccessKey,
  SessionAccessKey,
} from "@/lib/auth/access";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { actionScope, actionUser, instanceScope } from "@/lib/auth/server/require-scope";
import type { SessionUser } from "@/lib/auth/server/sessions";
import { explainDatabaseError } from "@/lib/db/explain";
import { AppError, type ErrorCode, type FieldError } from "@/lib/errors";
import { log } from "@/lib/log";
import { parseInput } from "./parse-input";
import { currentRequest } from "./request-context";

/** What a server action answers: failures are values, so that a form can show them. */
export type ActionResult<T> =
  | { ok: true; data: T }
  | {
      ok: false;
      code: ErrorCode | "internal";
      message: string;
      errors: FieldError[];
      requestId: string;
    };

/** Turns what an action threw into words; anything unforeseen is logged and stays generic. */
async function toActionResult<T>(work: () => Promise<T>): Promise<ActionResult<T>> {
  const requestId = currentRequest()?.requestId ?? "";
  try {
    return { ok: true, data: await work() };
  } catch (thrown) {
    const error = explainDatabaseError(thrown);
    if (error instanceof AppError) {
      return {
        ok: false,
        code: error.code,
        message: error.message,
        errors: error.errors,
        requestId,
      };
    }
    // redirect() and notFound() travel as errors that Next handles.
    if (isNextSignal(error)) throw error;
    log().error({ err: error }, "an action failed");
    return {
      ok: false,
      code: "internal",
      message: `Something failed here. Request ${requestId}.`,
      errors: [],
      requestId,
    };
  }
}

function isNextSignal(error: unknown): boolean {
  return typeof (error as { digest?: unknown } | null)?.digest === "string";
}

/** Every action within an organization: permit, parse, run. */
export function runAction<S extends z.ZodType, T>(
  accessKey: OrganizationAccessKey,
  organizationId: string,
  schema: S,
  input: unknown,
  run: (scope: Scope, input: z.infer<S>) => Promise<T>,
): Promise<ActionResult<T>> {
  return toActionResult(async () => {
    const scope = await actionScope(accessKey, organizationId);
    return run(scope, parseInput(schema, input));
  });
}

/**
 * Every action on the instance itself: permit, parse, run.
 * @param toldIn the organization from whose page it comes: its log tells of what is changed; null: none does
 */
export function runInstanceAction<S extends z.ZodType, T>(
  accessKey: InstanceAccessKey,
  toldIn: string | null,
  schema: S,
  input: unknown,
  run: (scope: InstanceScope, input: z.infer<S>) => Promise<T>,
): Promise<ActionResult<T>> {
  return toActionResult(async () => {
    const scope = await instanceScope(accessKey, toldIn);
    return run(scope, parseInput(schema, input));
  });
}

/** Every action of a signed-in user upon themselves. */
export function runSessionAction<T>(
  accessKey: SessionAccessKey,
  run: (user: SessionUser) => Promise<T>,
): Promise<ActionResult<T>> {
  return toActionResult(async () => run(await actionUser(accessKey)));
}

/** Every action that needs no session: its input is its permission. */
export function runPublicAction<S extends z.ZodType, T>(
  _accessKey: PublicAccessKey,
  schema: S,
  input: unknown,
  run: (input: z.infer<S>) => Promise<T>,
): Promise<ActionResult<T>> {
  return toActionResult(async () => run(parseInput(schema, input)));
}
