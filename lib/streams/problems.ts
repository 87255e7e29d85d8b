import type { Outcome, Reply } from "./destination";
import type { Problem } from "./schema";

export function problem(code: string, message: string, advice: string): Problem {
  return { code, message, advice };
}

/** What a status means where the destination has no rule of its own. */
export function classifyStatus(reply: Reply, receiver: string): Outcome {
  const { status } = reply;
  const code = `http_${status}`;
  const answered = `${receiver} answered ${status}.`;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const advice =
      status === 429
        ? "It asks for a slower rate. Trailseal waits and goes on by itself."
        : "Trailseal keeps the events and tries again by itself, with growing pauses.";
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
