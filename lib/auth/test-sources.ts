import fs from "node:fs";
import path from "node:path";
import type { AccessKey } from "./access";

export interface Source {
  /** Relative to the root of the project. */
  file: string;
  text: string;
}

/** TypeScript sources below a folder of the project. */
export function sourcesUnder(root: string, folder: string): Source[] {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("generated"))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, text: fs.readFileSync(path.join(root, file), "utf8") }));
}

/** The URL path of a page or handler: folders in parentheses are not part of it. */
export function routeOf(file: string): string {
  const parts = path.dirname(file).split(path.sep).slice(1);
  const route = parts.filter((part) => !/^\(.*\)$/.test(part)).join("/");
  // Next keeps folders that begin with an underscore for itself.
  return `/${decodeURIComponent(route)}`;
}

/** The methods that a handler's source answers. */
export function methodsIn({ text }: Source): string[] {
  const exported = /^export (?:async )?(?:function|const) (GET|POST|PUT|PATCH|DELETE|OPTIONS)\b/gm;
  return [...text.matchAll(exported)].map(([, method]) => method as string);
}

export interface DeclaredAction {
  file: string;
  name: string;
  /** `function`, or what else an actions file exports. */
  kind: string;
  /** Every registry entry it asks, with the helper that asks: one, in a good action. */
  permits: { runner: string; accessKey: AccessKey }[];
  /** What it does before it asks. */
  before: string;
}

const EXPORTED = /^export\s+(?:default\s+)?(?!type\b|interface\b)(?:async\s+)?(\w+)\s+(\w+)/gm;
const PERMIT = /\brun(Public|Session|Instance|)Action\(\s*"(action:\w+)"/g;

/** The exports of an actions file, each a public endpoint. */
export function actionsIn({ file, text }: Source): DeclaredAction[] {
  const starts = [...text.matchAll(EXPORTED)];
  return starts.map((start, index) => {
    const body = text.slice(start.index, starts[index + 1]?.index);
    const permits = [...body.matchAll(PERMIT)];
    return {
      file,
      name: start[2] as string,
      kind: start[1] as string,
      permits: permits.map(([, runner, accessKey]) => ({
        runner: runner as string,
        accessKey: accessKey as AccessKey,
      })),
      before: body.slice(0, permits[0]?.index),
    };
  });
}
