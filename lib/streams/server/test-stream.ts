import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { newId, newUlid } from "@/lib/ids";
import type { Batch, Outcome, Secrets } from "../destination";
import { type OpenDestination, openDestination } from "../registry";
import type { StreamDraft, TestResult, TestStep } from "../schema";
import { post, type Trace } from "./egress";
import { classifyFailure, retryAfterS, sanitise } from "./failures";
import { openSecrets, SecretUnreadableError } from "./secrets";
import { findStream } from "./stream-rows";

const DEADLINE_MS = 10_000;
const SHOWN_BODY_BYTES = 1_024;

function testBatch(organizationId: string, streamId: string): Batch {
  const sentAt = new Date();
  const occurredAt = sentAt.toISOString();
  const event = {
    id: newId("event"),
    organization_id: organizationId,
    action: "trailseal.test",
    version: 1,
    occurred_at: occurredAt,
    actor: { type: "system", id: "trailseal", name: "Trailseal" },
    targets: [{ type: "stream", id: streamId }],
    metadata: { test: "This event tests the stream. It is not part of the log." },
  };
  return {
    events: [{ seq: null, chainHash: null, recordedAt: occurredAt, event }],
    deliveryId: `msg_test_${newUlid()}`,
    sentAt,
  };
}

async function sendTest(
  destination: OpenDestination,
  openSecretsNow: () => Secrets,
  batch: Batch,
): Promise<TestResult> {
  const trace: Trace = { steps: [] };
  const started = performance.now();
  const elapsedMs = () => Math.round(performance.now() - started);
  const result = { sent: "", at: batch.sentAt.toISOString() };
  try {
    const frame = destination.frame(batch, openSecretsNow());
    result.sent = frame.body.slice(0, SHOWN_BODY_BYTES);
    const url = new URL(frame.path, destination.url).toString();
    const reply = await post(url, frame.headers, frame.body, { deadlineMs: DEADLINE_MS, trace });
    const outcome = destination.classify(
      {
        status: reply.status,
        body: reply.body,
        retryAfterS: retryAfterS(reply.headers["retry-after"]),
      },
      1,
    );
    const problem = problemOf(outcome);
    const taken = trace.steps.reduce((sum, step) => sum + step.durationMs, 0);
    const answer: TestStep = {
      name: "reply",
      detail: String(reply.status),
      durationMs: Math.max(0, reply.latencyMs - taken),
      ok: problem === null,
    };
    return {
      ...result,
      ok: problem === null,
      status: reply.status,
      latencyMs: reply.latencyMs,
      problem,
      steps: [...trace.steps, answer],
      reply: sanitise(reply.body.slice(0, SHOWN_BODY_BYTES)),
    };
  } catch (error) {
    return {
      ...result,
      ok: false,
      status: null,
      latencyMs: elapsedMs(),
      problem:
        error instanceof SecretUnreadableError ? error.problem : problemOf(classifyFailure(error)),
      steps: trace.steps,
      reply: null,
    };
  }
}

function problemOf(outcome: Outcome): TestResult["problem"] {
  return outcome.kind === "delivered" ? null : outcome.problem;
}

/** Sends one labelled event, outside the chain, to a stream as it is saved. */
export async function testStream(scope: Scope, id: string): Promise<TestResult> {
  const row = await findStream(scope, id);
  const destination = openDestination(row.destination, row.config);
  const owner = { organizationId: scope.organizationId, streamId: id };
  const secrets = () => openSecrets(owner, row.secrets, destination.secretNames);
  return sendTest(destination, secrets, testBatch(scope.organizationId, id));
}

/**
 * Sends one labelled event to a destination that is not saved yet.
 * @throws AppError when a secret is missing or has the wrong form.
 */
export async function testDraft(scope: Scope, draft: StreamDraft): Promise<TestResult> {
  const destination = openDestination(draft.destination, draft.config);
  const secrets = Object.fromEntries(
    destination.secretNames.map((name) => {
      const given = draft.secrets[name]?.trim();
      const value = given ? destination.parseSecret(name, given) : destination.generateSecret(name);
      if (value === null) {
        const field = `secrets.${name}`;
        throw new AppError("invalid_request", "Enter the secret before testing.", {
          errors: [{ field, code: "This secret is missing." }],
        });
      }
      return [name, value];
    }),
  );
  return sendTest(destination, () => secrets, testBatch(scope.organizationId, "draft"));
}
