import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { curlCommand } from "./curl";

test("a shell hands curl the very event, whatever stands in it", () => {
  const nasty = `it's "$(touch x)" \`id\` \\ \n !! é 😀`;
  const event = {
    id: "audit_event_1",
    organization_id: "org_1",
    action: nasty,
    version: 1,
    occurred_at: "2026-01-01T00:00:00.000Z",
    actor: { type: "user", id: nasty },
    targets: [],
  };
  // A function in curl's place prints the arguments that the shell made of the command.
  const script = `curl() { for arg in "$@"; do printf '%s\\0' "$arg"; done; }\n${curlCommand("http://localhost:3000", event)}`;
  const output = execFileSync("/bin/sh", ["-c", script], {
    env: { ...process.env, TRAILSEAL_API_KEY: "sk_1" },
    encoding: "utf8",
  });
  const args = output.split("\0").slice(0, -1);
  expect(args.slice(0, 5)).toEqual([
    "-X",
    "POST",
    "http://localhost:3000/audit_logs/events",
    "-H",
    "Authorization: Bearer sk_1",
  ]);
  const { id: _, organization_id, ...content } = event;
  expect(JSON.parse(args.at(-1) as string)).toEqual({ organization_id, event: content });
});
