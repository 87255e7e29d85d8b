import { expect, test } from "vitest";
import { isRefused, operationOf, signOf } from "./operation";

test.each([
  ["invoice.voided", "deleted"],
  ["iam.GetUser", "accessed"],
  ["ecr.BatchGetImage", "accessed"],
  ["kms.ScheduleKeyDeletion", "deleted"],
  ["user.role_updated", "updated"],
  ["secret.read.denied", "accessed"],
  ["secret.read_denied", "accessed"],
  ["Team-Member:Added", null],
  ["team-member:added", "created"],
  ["sts.AssumeRole", null],
  ["denied", null],
  ["", null],
])("%s: %s", (action, operation) => {
  expect(operationOf(action)).toBe(operation);
});

test("an action is refused by a word of its last segment", () => {
  expect(["secret.read_denied", "login.failed", "denied"].every(isRefused)).toBe(true);
  expect(["failed_job.deleted", "rule.unblocked"].some(isRefused)).toBe(false);
});

test.each([
  ["user.signed_in", "in"],
  ["user.sign-in", "in"],
  ["signin.ConsoleLogin", "in"],
  ["user.login.failed", "in"],
  ["user.login_succeeded", "in"],
  ["user.signed_in_with_sso", "in"],
  ["session.logged_out", "out"],
  ["signOut", "out"],
  ["user.logoff", "out"],
  ["login_policy.updated", null],
  ["iam.DeleteLogin", null],
  ["iam.CreateLoginProfile", null],
  ["plugin", null],
  ["document.signed", null],
])("%s signs %s", (action, sign) => {
  expect(signOf(action)).toBe(sign);
});
