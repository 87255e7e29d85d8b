import { describe, expect, it } from "vitest";
import { mayReturnTo, returnAddressSchema } from "./return-addresses";

describe("an address to return to", () => {
  it.each([
    ["https://app.example.com", "https://app.example.com/", true],
    ["https://app.example.com", "https://app.example.com/settings?tab=1#x", true],
    ["https://app.example.com/", "https://app.example.com", true],
    ["https://APP.example.com", "https://app.example.com/x", true],
    ["https://app.example.com", "http://app.example.com/", false],
    ["https://app.example.com", "https://app.example.com:8443/", false],
    ["https://app.example.com:8443", "https://app.example.com:8443/x", true],
    ["https://app.example.com", "https://app.example.com.evil.test/", false],
    ["https://app.example.com", "https://evil.test/https://app.example.com", false],
    ["https://app.example.com", "https://app.example.com@evil.test/", false],
    ["https://app.example.com", "https://evil@app.example.com/", false],
    ["https://app.example.com", "https://x.app.example.com/", false],
    ["https://app.example.com/audit", "https://app.example.com/audit", true],
    ["https://app.example.com/audit", "https://app.example.com/audit/back", true],
    ["https://app.example.com/audit/", "https://app.example.com/audit", true],
    ["https://app.example.com/audit", "https://app.example.com/auditors", false],
    ["https://app.example.com/audit", "https://app.example.com/audit/../admin", false],
    ["https://app.example.com/audit", "https://app.example.com/audit/..%2Fadmin", false],
    ["https://app.example.com", "https://app.example.com/a%2Fb", true],
    ["https://*.example.com", "https://a.b.example.com/", true],
    ["https://*.example.com", "https://example.com/", false],
    ["https://*.example.com", "https://notexample.com/", false],
    ["https://*.example.com/back", "https://a.example.com/", false],
  ])("%s lets %s: %s", (listed, address, isAllowed) => {
    expect(returnAddressSchema.safeParse(listed).success).toBe(true);
    expect(mayReturnTo(address, ["https://other.test", listed])).toBe(isAllowed);
  });

  it("is any while none is listed", () => {
    expect(mayReturnTo("https://anywhere.test/", [])).toBe(true);
  });

  it.each([
    "app.example.com",
    "javascript:alert(1)",
    "https://",
    "https://*",
    "https://*.",
    "https://a.*.example.com",
    "https://user@example.com",
    "https://example.com/?next=",
    "https://example.com/*",
  ])("cannot be listed as %s", (text) => {
    expect(returnAddressSchema.safeParse(text).success).toBe(false);
  });
});
