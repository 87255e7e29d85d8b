"use server";

import { z } from "zod";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import {
  createStreamSchema,
  type SavedStream,
  type StreamSummary,
  streamDraftSchema,
  streamIdSchema,
  type TestResult,
  updateStreamSchema,
} from "@/lib/streams/schema";
import {
  createStream,
  deleteStream,
  getStream,
  listStreams,
  pauseStream,
  resumeStream,
  updateStream,
} from "@/lib/streams/server/streams";
import { testDraft, testStream } from "@/lib/streams/server/test-stream";

export async function readStreamsAction(
  organizationId: string,
): Promise<ActionResult<StreamSummary[]>> {
  return runAction("action:readStreams", organizationId, z.object({}), {}, (scope) =>
    listStreams(scope),
  );
}

export async function readStreamAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<StreamSummary>> {
  return runAction("action:readStreams", organizationId, streamIdSchema, { id }, (scope, input) =>
    getStream(scope, input.id),
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
