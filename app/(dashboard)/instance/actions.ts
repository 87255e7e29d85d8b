"use server";

import { z } from "zod";
import { type ActionResult, runInstanceAction } from "@/lib/http/action-result";
import { sendTestMail } from "@/lib/operations/server/test-mail";

/** To whoever asks. */
export async function sendTestMailAction(): Promise<ActionResult<{ to: string }>> {
  return runInstanceAction("action:sendTestMail", null, z.null(), null, sendTestMail);
}
