import { describe, expect, test } from "vitest";
import { clientAddress, parseRanges } from "./client-address";

const trusted = parseRanges(["10.0.0.0/8", "::1"], "TRUSTED_PROXIES");
const through = (peer: string, forwarded: string) =>
  clientAddress(peer, { "x-forwarded-for": forwarded }, trusted);

describe("clientAddress", () => {
  test("a header from a peer that is no trusted proxy is not believed", () => {
    expect(through("203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
  });

  test("the nearest address that is no proxy counts, whatever a client put before it", () => {
    expect(through("10.1.2.3", "1.2.3.4, 198.51.100.1, 10.9.9.9")).toBe("198.51.100.1");
    expect(through("::1", "198.51.100.1")).toBe("198.51.100.1");
  });

  test("an IPv4 peer on a dual-stack socket is shown as IPv4", () => {
    expect(through("::ffff:203.0.113.9", "")).toBe("203.0.113.9");
    expect(through("::ffff:10.0.0.1", "198.51.100.1")).toBe("198.51.100.1");
  });

  test("a range that cannot be read names itself", () => {
    expect(() => parseRanges(["10.0.0.0/99"], "TRUSTED_PROXIES")).toThrow("10.0.0.0/99");
  });
});
