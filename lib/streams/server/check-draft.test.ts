import { expect, it } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import type { StreamDraft } from "../schema";
import { checkDraft } from "./check-draft";

const scope = systemScope("cli", "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH");
const draft = (part: Partial<StreamDraft>): StreamDraft => ({
  ...{ destination: "splunk", config: { url: "https://hec.example.com:8088" }, secrets: {} },
  ...part,
});
const fields = (part: Partial<StreamDraft>) =>
  checkDraft(scope, draft(part)).map(({ field }) => field);

it("names every secret that is missing or has the wrong form, and nothing when a test may be sent", () => {
  expect(fields({})).toEqual(["secrets.token"]);
  expect(fields({ secrets: { token: "   " } })).toEqual(["secrets.token"]);
  expect(fields({ secrets: { token: "0b9f6d0e-7a1c-4d8e-9f41-aa0c5d7741c9" } })).toEqual([]);
});

it("a secret that can be made need not be entered; one for each header that is named must", () => {
  const config = { url: "https://siem.example.com/audit", headers: ["X-Team"] };
  expect(fields({ destination: "webhook", config })).toEqual(["secrets.header:X-Team"]);
});

it("an address that may not be reached is told at its field, with the secrets beside it", () => {
  expect(fields({ config: { url: "http://10.0.0.7:8088" } })).toEqual([
    "config.url",
    "secrets.token",
  ]);
});

it("a destination that does not exist is told at its field", () => {
  expect(fields({ destination: "fax" })).toEqual(["destination"]);
});
