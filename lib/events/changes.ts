/**
 * What an event says was changed, found by the shapes in which applications write it into metadata:
 *
 * - an object with both sides: before/after, old/new, old_value/new_value (oldValue/newValue),
 *   previous/current;
 * - `changes` or `diff` as an object of fields, each { from, to }, { old, new }, … or [old, new];
 * - `changes` or `diff` as a list of { field | key | path | name | attribute, old | from | before, new | to | after }.
 *
 * Both sides may be JSON inside a string, as policy documents are.
 */
export interface Change {
  /** Keys from the metadata down, array places as numbers. */
  path: (string | number)[];
  kind: "changed" | "added" | "removed";
  before?: unknown;
  after?: unknown;
}

const PAIRS: readonly (readonly [string, string])[] = [
  ["before", "after"],
  ["old", "new"],
  ["old_value", "new_value"],
  ["oldValue", "newValue"],
  ["previous", "current"],
  ["from", "to"],
];
const NAMES = ["field", "key", "path", "name", "attribute"];
const LISTS = ["changes", "diff"];
const MAX_DEPTH = 16;
/** A comparison of longer lists takes place by place, one of longer texts says only that they differ. */
const MAX_COMPARED = 500;

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function findChanges(metadata: unknown): Change[] {
  return search(metadata, [], false, 0);
}

function search(value: unknown, path: Change["path"], isInList: boolean, depth: number): Change[] {
  if (!isObject(value) || depth > MAX_DEPTH) return [];
  // from/to alone may be anything, a flight; among changes they are sides.
  const pair = PAIRS.find(
    ([before, after]) =>
      (isInList || before !== "from") &&
      Object.hasOwn(value, before) &&
      Object.hasOwn(value, after),
  );
  const own = pair ? compare(value[pair[0]], value[pair[1]], path) : [];
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, member]): Change[] => {
      if (pair?.includes(key)) return [];
      if (LISTS.includes(key)) return listed(member, [...path, key], depth);
      return search(member, [...path, key], isInList, depth + 1);
    }),
  ];
}

function listed(value: unknown, path: Change["path"], depth: number): Change[] {
  if (Array.isArray(value))
    return value.flatMap((member, index) => {
      if (!isObject(member)) return [];
      const named = NAMES.map((name) => member[name]).find((name) => typeof name === "string");
      return search(member, [...path, typeof named === "string" ? named : index], true, depth + 1);
    });
  if (!isObject(value)) return [];
  if (PAIRS.some(([before, after]) => Object.hasOwn(value, before) && Object.hasOwn(value, after)))
    return search(value, path, true, depth + 1);
  return Object.entries(value).flatMap(([key, member]) =>
    Array.isArray(member) && member.length === 2
      ? compare(member[0], member[1], [...path, key])
      : search(member, [...path, key], true, depth + 1),
  );
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** What has to change in `before` to become `after`, element by element. */
export function compare(before: unknown, after: unknown, path: Change["path"] = []): Change[] {
  const [left, right] = [parsed(before), parsed(after)];
  if (isObject(left) && isObject(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys.flatMap((key): Change[] => {
      const at = [...path, key];
      if (!Object.hasOwn(left, key)) return [{ path: at, kind: "added", after: right[key] }];
      if (!Object.hasOwn(right, key)) return [{ path: at, kind: "removed", before: left[key] }];
      return compare(left[key], right[key], at);
    });
  }
  if (Array.isArray(left) && Array.isArray(right)) return compareLists(left, right, path);
  if (JSON.stringify(left) === JSON.stringify(right)) return [];
  const isNothing = (side: unknown) => side === null || side === undefined;
  if (isNothing(before)) return [{ path, kind: "added", after }];
  if (isNothing(after)) return [{ path, kind: "removed", before }];
  return [{ path, kind: "changed", before, after }];
}

function compareLists(left: unknown[], right: unknown[], path: Change["path"]): Change[] {
  if (left.length > MAX_COMPARED || right.length > MAX_COMPARED)
    return [{ path, kind: "changed", before: left, after: right }];
  const parts = align(left, right, (a, b) => JSON.stringify(a) === JSON.stringify(b));
  return parts.flatMap((part): Change[] => {
    if (part.kind === "same") return [];
    const place = [...path, part.at];
    return part.kind === "removed"
      ? [{ path: place, kind: "removed", before: part.value }]
      : [{ path: place, kind: "added", after: part.value }];
  });
}

interface Aligned<T> {
  kind: "same" | "removed" | "added";
  value: T;
  /** Its place in the list that it is from; the newer one's for what both have. */
  at: number;
}

/** Longest common subsequence: what stays, what goes, what comes, in order. */
function align<T>(
  left: readonly T[],
  right: readonly T[],
  isSame: (a: T, b: T) => boolean,
): Aligned<T>[] {
  const width = right.length + 1;
  const lengths = new Uint32Array((left.length + 1) * width);
  const lengthAt = (row: number, column: number) => lengths[row * width + column] as number;
  for (let row = left.length - 1; row >= 0; row -= 1)
    for (let column = right.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] = isSame(left[row] as T, right[column] as T)
        ? lengthAt(row + 1, column + 1) + 1
        : Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1));
  const parts: Aligned<T>[] = [];
  let [row, column] = [0, 0];
  while (row < left.length || column < right.length) {
    if (row < left.length && column < right.length && isSame(left[row] as T, right[column] as T)) {
      parts.push({ kind: "same", value: right[column] as T, at: column });
      row += 1;
      column += 1;
    } else if (
      column >= right.length ||
      (row < left.length && lengthAt(row + 1, column) >= lengthAt(row, column + 1))
    ) {
      parts.push({ kind: "removed", value: left[row] as T, at: row });
      row += 1;
    } else {
      parts.push({ kind: "added", value: right[column] as T, at: column });
      column += 1;
    }
  }
  return parts;
}

export interface TextPart {
  kind: "same" | "removed" | "added";
  text: string;
}

/** Two texts word by word; whole where they are too long to compare. */
export function compareWords(before: string, after: string): TextPart[] {
  const [left, right] = [words(before), words(after)];
  if (left.length > MAX_COMPARED || right.length > MAX_COMPARED)
    return [
      { kind: "removed", text: before },
      { kind: "added", text: after },
    ];
  const parts: TextPart[] = [];
  for (const { kind, value } of align(left, right, (a, b) => a === b)) {
    const last = parts.at(-1);
    if (last?.kind === kind) last.text += value;
    else parts.push({ kind, text: value });
  }
  return parts;
}

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}
