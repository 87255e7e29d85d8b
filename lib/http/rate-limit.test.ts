import { expect, it } from "vitest";
import { RateLimiter } from "./rate-limit";

it("a key sends its minute's worth at once, then waits whole seconds for the next, alone", () => {
  const limiter = new RateLimiter(30);
  const taken = Array.from({ length: 31 }, () => limiter.take("a", 0));
  expect(taken.slice(0, 30)).toEqual(Array(30).fill(0));
  expect(taken[30]).toBe(2);
  expect(limiter.take("b", 0)).toBe(0);
  expect(limiter.take("a", 1_000)).toBe(1);
  expect(limiter.take("a", 2_000)).toBe(0);
  expect(limiter.take("a", 2_000)).toBe(2);
});

it("a key that was quiet has its minute's worth again, and no more", () => {
  const limiter = new RateLimiter(2);
  limiter.take("a", 0);
  const later = Array.from({ length: 3 }, () => limiter.take("a", 3_600_000));
  expect(later).toEqual([0, 0, 30]);
});

it("what is given back can be taken again, and there is never more than a minute's worth", () => {
  const limiter = new RateLimiter(1);
  expect([limiter.take("a", 0), limiter.take("a", 0)]).toEqual([0, 60]);
  limiter.giveBack("a", 0);
  limiter.giveBack("a", 0);
  expect([limiter.take("a", 0), limiter.take("a", 0)]).toEqual([0, 60]);
});
