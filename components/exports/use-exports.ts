import { useCallback, useEffect, useRef, useState } from "react";
import { useLookAgain } from "@/components/ui/use-look-again";
import { forgetAwaited } from "./awaited";
import { type ExportActions, type ExportList, isUnderWay, type ListedExport } from "./listed";
import { nextPace, type Pace } from "./pace";
import { endWords } from "./words";

interface Seen {
  list: ExportList;
  paces: ReadonlyMap<string, Pace>;
  /** What ended last while somebody looked, for those who do not see it. */
  news: string;
}

function look({ list: before, paces, news }: Seen, list: ExportList): Seen {
  const atMs = performance.now();
  const waiting = new Set(before.exports.filter(isUnderWay).map(({ id }) => id));
  const over = list.exports.filter((one) => waiting.has(one.id) && !isUnderWay(one));
  const running = list.exports.filter(({ state }) => state === "running");
  return {
    list,
    paces: new Map(
      running.map(({ id, events }) => [id, nextPace(paces.get(id), { atMs, events })]),
    ),
    news: over.length > 0 ? over.map(endWords).join(". ") : news,
  };
}

/** Exports as they go on: read again each second while one is under way and the page is visible. */
export function useExports(
  organizationId: string,
  initial: ExportList,
  before: string | null,
  read: ExportActions["read"],
) {
  const [seen, setSeen] = useState<Seen>({ list: initial, paces: new Map(), news: "" });
  const [problem, setProblem] = useState<string | null>(null);
  const readList = useRef(read);
  readList.current = read;
  const { exports } = seen.list;
  const isAnyUnderWay = exports.some(isUnderWay);

  useEffect(() => setSeen((known) => look(known, initial)), [initial]);

  const refresh = useCallback(async () => {
    try {
      const result = await readList.current(organizationId, before);
      setProblem(result.ok ? null : result.message);
      if (result.ok) setSeen((known) => look(known, result.data));
    } catch {
      setProblem("The server did not answer.");
    }
  }, [organizationId, before]);

  useLookAgain(isAnyUnderWay, refresh);

  // Who looks at the list needs no notice.
  useEffect(() => {
    const over = exports.filter((one) => !isUnderWay(one));
    forgetAwaited(
      organizationId,
      over.map(({ id }) => id),
    );
  }, [organizationId, exports]);

  /** Takes one as it is after a change, without waiting for the next look. */
  const put = (one: ListedExport) =>
    setSeen((known) => {
      const { exports, hasOlder } = known.list;
      const isKnown = exports.some(({ id }) => id === one.id);
      const next = isKnown
        ? exports.map((other) => (other.id === one.id ? one : other))
        : [one, ...exports];
      return look(known, { exports: next, hasOlder });
    });

  return { ...seen, problem, put };
}
