import { describe, expect, it } from "vitest";
import { claimsSchema, groupsOf, roleByGroups } from "./claims";

describe("groups", () => {
  it.each([
    ["a list", { groups: ["a", 1, "b"] }, "groups", ["a", "b"]],
    ["one as a text", { groups: "a" }, "groups", ["a"]],
    ["none", {}, "groups", []],
    ["below other claims", { realm_access: { roles: ["a"] } }, "realm_access.roles", ["a"]],
    ["under a name with dots", { "https://x.example/g": ["a"] }, "https://x.example/g", ["a"]],
    ["nothing inherited", {}, "constructor.name", []],
    ["left out for their number", { _claim_names: { groups: "src1" } }, "groups", null],
  ])("%s", (_name, claims, claim, groups) => {
    expect(groupsOf(claims, claim)).toEqual(groups);
  });

  it("the first row that fits counts, letter by letter", () => {
    const rows = [
      { group: "admins", role: "admin" },
      { group: "all", role: "viewer" },
    ] as const;
    expect(roleByGroups([...rows], ["all", "admins"])).toBe("admin");
    expect(roleByGroups([...rows], ["Admins"])).toBeNull();
  });
});

it("what email_verified says in another form than the standard's counts as not verified", () => {
  expect(claimsSchema.parse({ sub: "s", email_verified: "yes" }).email_verified).toBe(false);
  expect(claimsSchema.parse({ sub: "s" }).email_verified).toBeUndefined();
});
