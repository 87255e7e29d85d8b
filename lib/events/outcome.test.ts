import { expect, test } from "vitest";
import { matches } from "./filter/match";
import { failureRules } from "./outcome";

const failed = (action: string, metadata: object | null = null) =>
  failureRules.some(({ filter }) =>
    matches(filter, { id: "e", action, version: 1, actor: null, targets: [], metadata }),
  );

test("an event is denied or failed by its action's name, or by the error CloudTrail recorded", () => {
  expect(failed("invoice.read.denied")).toBe(true);
  expect(failed("user.sign_in_failed")).toBe(true);
  expect(failed("s3.GetObject", { errorCode: "AccessDenied", errorMessage: "no" })).toBe(true);
  expect(failed("signin.ConsoleLogin", { errorMessage: "Failed authentication" })).toBe(true);
  expect(failed("user.failed_over")).toBe(false);
  expect(failed("s3.GetObject", { errorCode: null, note: "errorCode" })).toBe(false);
  expect(failed("user.signed_in")).toBe(false);
});
