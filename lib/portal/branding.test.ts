import { describe, expect, it } from "vitest";
import { brandingInputSchema } from "./branding";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const parse = (input: object) =>
  brandingInputSchema.safeParse({ name: null, colour: null, returnAddresses: [], ...input });

const base64 = (bytes: Buffer | string) => Buffer.from(bytes).toString("base64");

describe("branding", () => {
  it("takes a picture by what it begins with", () => {
    expect(parse({ logo: PIXEL }).data?.logo).toEqual({ type: "image/png", base64: PIXEL });
    expect(parse({}).data).not.toHaveProperty("logo");
    expect(parse({ logo: null }).data?.logo).toBeNull();
  });

  it.each([
    ["SVG, which can run scripts", base64('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ["HTML", base64("<!doctype html><script>alert(1)</script>")],
    ["nothing", ""],
    ["no base64", "%%%"],
  ])("refuses %s as a logo", (_, logo) => {
    expect(parse({ logo }).error?.issues[0]?.path).toEqual(["logo"]);
  });

  it("refuses a picture that is too large", () => {
    const png = Buffer.concat([Buffer.from(PIXEL, "base64"), Buffer.alloc(200_000)]);
    expect(parse({ logo: base64(png) }).error?.issues[0]?.message).toBe("must have at most 200 kB");
  });

  it("refuses what is no colour, since it stands in a style", () => {
    for (const colour of ["red", "#fff", "#12345g", "#123456;background:url(//x)"])
      expect(parse({ colour }).success, colour).toBe(false);
    expect(parse({ colour: "#0A6B64" }).data?.colour).toBe("#0a6b64");
  });
});
