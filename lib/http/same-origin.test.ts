import { describe, expect, it } from "vitest";
import { isForgedMutation } from "./same-origin";

const host = "127.0.0.1:3000";

describe("requests that another site makes a browser send", () => {
  it.each([
    ["a page of the server itself", { host, origin: "http://127.0.0.1:3000" }],
    ["the configured address behind a proxy", { host, origin: "https://audit.example.com" }],
    [
      "the address that a trusted proxy forwards",
      { host, "x-forwarded-host": "other.example.com", origin: "https://other.example.com" },
    ],
    ["a client that is no browser", { host }],
    [
      "a form on our page without referrers",
      { host, origin: "null", "sec-fetch-site": "same-origin" },
    ],
  ])("lets %s through", (_name, headers) => {
    expect(isForgedMutation("POST", headers, ["audit.example.com"])).toBe(false);
  });

  it.each([
    ["another site", { host, origin: "https://evil.example.com" }],
    ["another port of this machine", { host, origin: "http://127.0.0.1:3001" }],
    ["a look-alike", { host, origin: "https://audit.example.com.evil.example.com" }],
    ["a sandboxed frame", { host, origin: "null" }],
    ["a sandboxed frame that says so", { host, origin: "null", "sec-fetch-site": "cross-site" }],
    ["a browser that hides its origin", { host, "sec-fetch-site": "cross-site" }],
    ["no URL at all", { host, origin: "127.0.0.1:3000" }],
  ])("refuses %s", (_name, headers) => {
    expect(isForgedMutation("POST", headers, ["audit.example.com"])).toBe(true);
  });

  it("never refuses a read", () => {
    expect(isForgedMutation("GET", { host, origin: "https://evil.example.com" }, [])).toBe(false);
  });
});
