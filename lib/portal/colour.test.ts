import { describe, expect, it } from "vitest";
import { contrast, onSurface, underPointer } from "./colour";

const SURFACES = { light: "#f7f7f4", dark: "#121616" };

describe("a colour of somebody's brand", () => {
  it("has the contrast that WCAG computes", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  });

  it.each(["#000000", "#ffffff", "#0b1f6b", "#ffe600", "#7f7f7f", "#ff0000", "#101413"])(
    "%s is seen on both surfaces, and what is written upon it is read",
    (colour) => {
      for (const surface of Object.values(SURFACES)) {
        const { fill, text } = onSurface(colour, surface);
        expect(contrast(fill, surface)).toBeGreaterThanOrEqual(3);
        expect(contrast(fill, text)).toBeGreaterThanOrEqual(4.5);
        expect(contrast(underPointer({ fill, text }), text)).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it("stays what it is where it is seen", () => {
    expect(onSurface("#0a6b64", SURFACES.light)).toEqual({ fill: "#0a6b64", text: "#ffffff" });
  });
});
