import type { Frame, Outcome, Reply } from "./destination";
import type { Problem } from "./schema";

/** Codes of what is told while delivery goes on: a receiver lost events without saying which… */
export const LOST_UNNAMED = "otlp_partial";
/** …or wants no checkpoints. */
export const CHECKPOINT_REFUSED = "checkpoint_refused";

/** What to do where waiting may cure it. */
export const KEPT = "Trailseal keeps the events and tries again by itself, with growing pauses.";

export function problem(code: string, message: string, advice: string): Problem {
  return { code, message, advice };
}

/** For `Frame.tooLarge`: absent while the first item is at most `limit` bytes. */
export function tooLarge(
  items: string[],
  limit: number,
  receiver: string,
): Pick<Frame, "tooLarge"> {
  const bytes = Buffer.byteLength(items[0] ?? "");
  if (bytes <= limit) return {};
  const kilobytes = (size: number) => `${Math.ceil(size / 1_000)} kB`;
  return {
    tooLarge: problem(
      "too_large",
      `The event is ${kilobytes(bytes)} long; ${receiver} cuts what is longer than ${kilobytes(limit)}.`,
      "It was not sent, so that no part of it is missing there. The log has it whole.",
    ),
  };
}

/** What a status means where the destination has no rule of its own. */
export function classifyStatus(reply: Reply, receiver: string): Outcome {
  const { status } = reply;
  const code = `http_${status}`;
  const answered = `${receiver} answered ${status}.`;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const advice =
      status === 429 ? "It asks for a slower rate. Trailseal waits and goes on by itself." : KEPT;
    return {
      kind: "retry",
      problem: problem(code, answered, advice),
      retryAfterS: reply.retryAfterS,
    };
  }
  if (status === 400 || status === 413 || status === 422) {
    return {
      kind: "split",
      problem: problem(
        code,
        `${answered} It refuses the content.`,
        "Smaller parts are sent until the refused event stands alone; that one is set aside and the rest goes on.",
      ),
    };
  }
  if (status >= 300 && status < 400) {
    return {
      kind: "config_error",
      problem: problem(
        code,
        `${answered} Redirects are not followed.`,
        "Enter the final address of the receiver.",
      ),
    };
  }
  if (status === 401 || status === 403) {
    return {
      kind: "config_error",
      problem: problem(
        code,
        `${answered} The credentials were rejected.`,
        "Replace the secret. Delivery resumes where it stopped; nothing is lost.",
      ),
    };
  }
  if (status === 404 || status === 405) {
    return {
      kind: "config_error",
      problem: problem(
        code,
        `${answered} Nothing there takes events.`,
        "Check the path of the address and that the receiver accepts POST.",
      ),
    };
  }
  return {
    kind: "config_error",
    problem: problem(
      code,
      `${answered} That is not an answer Trailseal can use.`,
      "Check that the address belongs to the receiver.",
    ),
  };
}

/** As `classifyStatus`, for receivers that never answer with a web page: its success confirms nothing. */
export function classifyApi(reply: Reply, receiver: string): Outcome {
  const outcome = classifyStatus(reply, receiver);
  if (outcome.kind !== "delivered" || !/^\s*</.test(reply.body)) return outcome;
  const message = "The address answered with a web page, as a sign-in or a proxy does.";
  return {
    kind: "config_error",
    problem: problem("web_page", message, "Check the address, its port, and proxies on the way."),
  };
}
