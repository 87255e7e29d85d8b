import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ipOf } from "../ip";
import { addressSpellings, isInNetwork, parseAddress, parseNetwork } from "./address";
import { testSeed } from "./test-arbitraries";

const seed = testSeed();

describe("addresses", () => {
  test("the filter and ingest agree on what an address is", () => {
    const near = fc.stringMatching(/^[0-9a-fA-F:.%/]{1,20}$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), near), (text) => {
        expect({ text, is: parseAddress(text) !== null }).toEqual({
          text,
          is: ipOf(text) !== null,
        });
      }),
      { seed, numRuns: 5_000 },
    );
  });

  test.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.1.2.3", "10.0.0.0/8", false],
    ["10.1.2.3", "10.9.9.9/8", true],
    ["2001:db8::1", "2001:db8::/32", true],
    ["::ffff:10.0.0.1", "10.0.0.0/8", false],
    ["unknown", "0.0.0.0/0", false],
  ])("%s in %s: %s", (address, network, expected) => {
    expect(isInNetwork(address, network)).toBe(expected);
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "x/8", "10.0.0.0/"])(
    "%s is no network",
    (text) => {
      expect(parseNetwork(text)).toBeNull();
    },
  );

  test("an IPv6 address is looked up in its common spellings", () => {
    expect(addressSpellings("2001:db8:0::1")).toEqual(
      expect.arrayContaining([
        "2001:db8::1",
        "2001:DB8::1",
        "2001:0db8:0000:0000:0000:0000:0000:0001",
      ]),
    );
    expect(addressSpellings("10.0.0.1")).toEqual(["10.0.0.1"]);
  });
});
