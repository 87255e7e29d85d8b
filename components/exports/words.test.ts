import { describe, expect, it } from "vitest";
import type { Export } from "@/lib/exports/schema";
import { formatBytes, formatSpan, progressWords, rangeWords, verifyCommand } from "./words";

const running = {
  events: 12_345,
  bytes: 3_210_000,
  total: null,
  reached: "2026-03-03T06:00:00.000Z",
} as Export;
const pace = { samples: [], eventsPerS: 1_000 };

describe("progressWords", () => {
  it("says how far back it came where only reading tells the end, and promises no time", () => {
    expect(progressWords(running, pace)).toEqual([
      "12,345 events",
      "3.2 MB",
      "1,000 per second",
      "back to 3 Mar 2026, 06:00:00 UTC",
    ]);
  });

  it("says of how many, and the time left, where the end is known", () => {
    expect(progressWords({ ...running, total: 72_345 }, pace)).toEqual([
      "12,345 of 72,345 events",
      "3.2 MB",
      "1,000 per second",
      "about 1 min left",
    ]);
  });

  it("says no time left before there is a rate, or while it stands", () => {
    const known = { ...running, total: 72_345 };
    expect(progressWords(known, undefined)).toEqual(["12,345 of 72,345 events", "3.2 MB"]);
    expect(progressWords(known, { samples: [], eventsPerS: 0 })).toContain("0 per second");
    expect(progressWords(known, { samples: [], eventsPerS: 0 }).join()).not.toContain("left");
  });
});

describe("words of an export", () => {
  it("gives times in UTC, whatever zone the explorer shows", () => {
    expect(rangeWords("2026-03-02T06:00:00.000Z", "2026-03-03T00:00:00.000Z")).toBe(
      "2026-03-02 06:00 UTC to before 2026-03-03 UTC",
    );
    expect(rangeWords("2026-03-02T06:00:00.000Z", null)).toBe("From 2026-03-02 06:00 UTC on");
    expect(rangeWords(null, null)).toBe("All time");
  });

  it("has a unit for any size and span", () => {
    expect([612, 12_400, 50_300_000_000, 2e15].map(formatBytes)).toEqual([
      "612 B",
      "12.4 kB",
      "50.3 GB",
      "2000.0 TB",
    ]);
    expect([0.2, 59, 61, 17_460].map(formatSpan)).toEqual(["1 s", "59 s", "1 min", "4 h 51 min"]);
  });

  it("checks a file with its manifest, and a bundle by itself", () => {
    const command = (format: "csv" | "bundle") =>
      verifyCommand({ format, fileName: "f" }, ["acme+1", "acme+2"]);
    expect(command("csv")).toBe("npx trailseal verify --export f --vkey 'acme+1' --vkey 'acme+2'");
    expect(command("bundle")).toContain("verify --bundle f --vkey");
  });
});
