"use server";

import { z } from "zod";
import type { FieldError } from "@/lib/errors";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import {
  createStreamSchema,
  type DeadLetter,
  type FormatPreview,
  previewFormatSchema,
  type SavedStream,
  type StreamAttempt,
  type StreamLane,
  type StreamSummary,
  type StreamView,
  streamDraftSchema,
  streamIdSchema,
  type TestResult,
  updateStreamSchema,
} from "@/lib/streams/schema";
import { listAttempts } from "@/lib/streams/server/attempts";
import { checkDraft } from "@/lib/streams/server/check-draft";
import { moveCursor } from "@/lib/streams/server/cursor";
import { discardDeadLetters, listDeadLetters, redrive } from "@/lib/streams/server/dead-letters";
import { readView, readViews } from "@/lib/streams/server/health";
import { cancelLane, readLanes, startBackfill } from "@/lib/streams/server/lanes";
import { previewFormat } from "@/lib/streams/server/preview";
import { estimateRange } from "@/lib/streams/server/ranges";
import { rotateSecret } from "@/lib/streams/server/rotate-secret";
import {
  createStream,
  deleteStream,
  pauseStream,
  resumeStream,
  updateStream,
} from "@/lib/streams/server/streams";
import { testDraft, testStream } from "@/lib/streams/server/test-stream";
import {
  attemptPageSchema,
  backfillSchema,
  discardSchema,
  laneIdSchema,
  moveCursorSchema,
  type RangeEstimate,
  rangeSchema,
  redriveSchema,
  rotateSecretSchema,
} from "@/lib/streams/work-schema";

export async function readStreamsAction(
  organizationId: string,
): Promise<ActionResult<StreamView[]>> {
  return runAction("action:readStreams", organizationId, z.object({}), {}, (scope) =>
    readViews(scope),
  );
}

export async function readStreamAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<StreamView>> {
  return runAction("action:readStreams", organizationId, streamIdSchema, { id }, (scope, input) =>
    readView(scope, input.id),
  );
}

export async function createStreamAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<SavedStream>> {
  return runAction("action:createStream", organizationId, createStreamSchema, input, createStream);
}

export async function updateStreamAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<SavedStream>> {
  return runAction("action:updateStream", organizationId, updateStreamSchema, input, updateStream);
}

export async function checkDraftAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<FieldError[]>> {
  return runAction(
    "action:testStream",
    organizationId,
    streamDraftSchema,
    input,
    async (...draft) => checkDraft(...draft),
  );
}

export async function previewStreamAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<FormatPreview>> {
  return runAction(
    "action:previewStream",
    organizationId,
    previewFormatSchema,
    input,
    previewFormat,
  );
}

export async function testDraftAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<TestResult>> {
  return runAction("action:testStream", organizationId, streamDraftSchema, input, testDraft);
}

export async function testStreamAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<TestResult>> {
  return runAction("action:testStream", organizationId, streamIdSchema, { id }, (scope, input) =>
    testStream(scope, input.id),
  );
}

export async function pauseStreamAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<StreamSummary>> {
  return runAction("action:pauseStream", organizationId, streamIdSchema, { id }, (scope, input) =>
    pauseStream(scope, input.id),
  );
}

export async function resumeStreamAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<StreamSummary>> {
  return runAction("action:resumeStream", organizationId, streamIdSchema, { id }, (scope, input) =>
    resumeStream(scope, input.id),
  );
}

export async function deleteStreamAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction(
    "action:deleteStream",
    organizationId,
    streamIdSchema,
    { id },
    async (scope, input) => {
      await deleteStream(scope, input.id);
      return null;
    },
  );
}

export async function listAttemptsAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<StreamAttempt[]>> {
  return runAction(
    "action:readDeliveries",
    organizationId,
    attemptPageSchema,
    input,
    (scope, { id, ...page }) => listAttempts(scope, id, page),
  );
}

export async function readLanesAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<StreamLane[]>> {
  return runAction(
    "action:readDeliveries",
    organizationId,
    streamIdSchema,
    { id },
    (scope, input) => readLanes(scope, input.id),
  );
}

export async function listDeadLettersAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<DeadLetter[]>> {
  return runAction(
    "action:readDeliveries",
    organizationId,
    streamIdSchema,
    { id },
    (scope, input) => listDeadLetters(scope, input.id),
  );
}

export async function estimateRangeAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<RangeEstimate>> {
  return runAction("action:readDeliveries", organizationId, rangeSchema, input, estimateRange);
}

export async function startBackfillAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<StreamLane>> {
  return runAction("action:startBackfill", organizationId, backfillSchema, input, startBackfill);
}

export async function cancelLaneAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<StreamLane>> {
  return runAction("action:cancelLane", organizationId, laneIdSchema, input, cancelLane);
}

export async function redriveAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<StreamLane>> {
  return runAction("action:redrive", organizationId, redriveSchema, input, redrive);
}

export async function discardDeadLettersAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<number>> {
  return runAction(
    "action:discardDeadLetters",
    organizationId,
    discardSchema,
    input,
    discardDeadLetters,
  );
}

export async function moveCursorAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<StreamSummary>> {
  return runAction("action:moveCursor", organizationId, moveCursorSchema, input, moveCursor);
}

export async function rotateSecretAction(
  organizationId: string,
  input: unknown,
): Promise<ActionResult<SavedStream>> {
  return runAction("action:rotateSecret", organizationId, rotateSecretSchema, input, rotateSecret);
}
