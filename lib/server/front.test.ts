import path from "node:path";
import { expect, it } from "vitest";
import { methodsIn, routeOf, sourcesUnder } from "@/lib/auth/test-sources";
import { API_ROUTES } from "./front";

const root = path.resolve(import.meta.dirname, "../..");
const handlers = sourcesUnder(root, "app/(api)").filter(({ file }) => /\/route\.ts$/.test(file));

it.each(handlers.map((source) => [routeOf(source.file), source] as const))(
  "lets through what %s answers, and no other method",
  (route, source) => {
    const example = route.replace(/\[\w+\]/g, "some_id");
    const found = API_ROUTES.find((candidate) => candidate.path.test(example));
    expect(found?.methods.toSorted()).toEqual(methodsIn(source).sort());
  },
);
