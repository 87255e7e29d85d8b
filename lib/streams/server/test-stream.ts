import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { newId, newUlid } from "@/lib/ids";
import type { Batch, Outcome, Secrets } from "../destination";
import type { FormatId } from "../formats";
import { type OpenDestination, openDestination } from "../registry";
import type { StreamDraft, TestResult, TestStep } from "../schema";
import type { Trace } from "./egress";
import { classifyFailure, sanitise } from "./failures";
import { openSecrets, SecretUnreadableError } from "./secrets";
import { findStream } from "./stream-rows";
import { GuardedTransport } from "./transport";

const SHOWN_BODY_BYTES = 1_024;

function testBatch(organizationId: string, streamId: string, format: FormatId): Batch {
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
  const outside = { seq: null, chainHash: null, previousHash: null };
  return {
    events: [{ kind: "test", ...outside, recordedAt: occurredAt, event }],
    deliveryId: `msg_test_${newUlid()}`,
    sentAt,
    format,
  };
}

async function sendTest(
  destination: OpenDestination,
  openSecretsNow: () => Secrets,
  batch: Batch,
): Promise<TestResult> {
  const trace: Trace = { steps: [] };
  const transport = new GuardedTransport(batch.deliveryId, destination.deadlineMs, trace);
  let sent = "";
  const send = async () => {
    const secrets = openSecretsNow();
    const frame = destination.frame(batch, secrets);
    sent = frame.body.slice(0, SHOWN_BODY_BYTES);
    return destination.send(frame, secrets, transport);
  };
  const outcome = await send().catch((error: unknown): Outcome => {
    if (!(error instanceof SecretUnreadableError)) return classifyFailure(error);
    return { kind: "config_error", problem: error.problem };
  });
  const problem = problemOf(outcome);
  const note = outcome.kind === "delivered" ? outcome.note : undefined;
  const { reply, elapsedMs } = transport;
  const taken = trace.steps.reduce((sum, step) => sum + step.durationMs, 0);
  const last = /^(https|tls):/.test(destination.endpoint) ? "tls" : "connect";
  const hasConnected = reply !== null || trace.steps.some(({ name }) => name === last);
  const answer: TestStep = {
    name: "reply",
    detail: reply ? String(reply.status) : (problem?.code ?? note ?? "taken"),
    durationMs: Math.max(0, elapsedMs - taken),
    ok: problem === null,
  };
  return {
    ok: problem === null,
    status: reply?.status ?? null,
    latencyMs: elapsedMs,
    problem,
    // What failed before a connection stood has no answer.
    steps: hasConnected || problem === null ? [...trace.steps, answer] : trace.steps,
    sent,
    reply: reply && sanitise(reply.body, SHOWN_BODY_BYTES),
    at: batch.sentAt.toISOString(),
  };
}

function problemOf(outcome: Outcome): TestResult["problem"] {
  if (outcome.kind === "delivered") return outcome.warning ?? null;
  return outcome.kind === "rejected" ? (outcome.rejected[0]?.problem ?? null) : outcome.problem;
}

/** Sends one labelled event, outside the chain, to a stream as it is saved. */
export async function testStream(scope: Scope, id: string): Promise<TestResult> {
  const row = await findStream(scope, id);
  const destination = openDestination(row.destination, row.config);
  const owner = { organizationId: scope.organizationId, streamId: id };
  const secrets = () => openSecrets(owner, row.secrets, destination.secretNames);
  return sendTest(destination, secrets, testBatch(scope.organizationId, id, row.format));
}

/**
 * Sends one labelled event to a destination that is not saved yet.
 * @throws AppError when a secret is missing or has the wrong form.
 */
export async function testDraft(scope: Scope, draft: StreamDraft): Promise<TestResult> {
  const destination = openDestination(draft.destination, draft.config);
  const { required, optional } = destination.secretNames;
  const secrets = Object.fromEntries(
    [...required, ...optional].flatMap((name) => {
      const given = draft.secrets[name]?.trim();
      const value = given ? destination.parseSecret(name, given) : destination.generateSecret(name);
      if (value !== null) return [[name, value]];
      if (optional.includes(name)) return [];
      throw new AppError("invalid_request", "Enter the secret before testing.", {
        errors: [{ field: `secrets.${name}`, code: "This secret is missing." }],
      });
    }),
  );
  const format = destination.chooseFormat(draft.format);
  return sendTest(destination, () => secrets, testBatch(scope.organizationId, "draft", format));
}
