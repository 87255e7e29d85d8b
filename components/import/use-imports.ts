import { useCallback, useEffect, useRef, useState } from "react";
import { nextPace } from "@/components/exports/pace";
import { useLookAgain } from "@/components/ui/use-look-again";
import type { Import } from "@/lib/import/schema";
import { type ImportActions, type ImportList, isUnderWay } from "./listed";
import { endWords, type Paces } from "./words";

interface Seen {
  list: ImportList;
  paces: ReadonlyMap<string, Paces>;
  /** What ended last while somebody looked, for those who do not see it. */
  news: string;
}

function look({ list: before, paces, news }: Seen, list: ImportList): Seen {
  const atMs = performance.now();
  const waiting = new Set(before.imports.filter(isUnderWay).map(({ id }) => id));
  const over = list.imports.filter((one) => waiting.has(one.id) && !isUnderWay(one));
  const running = list.imports.filter(({ state }) => state === "running");
  const paceOf = ({ id, outcome, readBytes }: Import): [string, Paces] => [
    id,
    {
      rows: nextPace(paces.get(id)?.rows, { atMs, events: outcome.read }),
      bytes: nextPace(paces.get(id)?.bytes, { atMs, events: readBytes }),
    },
  ];
  return {
    list,
    paces: new Map(running.map(paceOf)),
    news: over.length > 0 ? over.map(endWords).join(". ") : news,
  };
}

/** A page of imports as they go on: read again each second while one is under way and the page is visible. */
export function useImports(
  organizationId: string,
  initial: ImportList,
  before: string | null,
  read: ImportActions["read"],
) {
  const [seen, setSeen] = useState<Seen>({ list: initial, paces: new Map(), news: "" });
  const [problem, setProblem] = useState<string | null>(null);
  const readList = useRef(read);
  readList.current = read;
  const isAnyUnderWay = seen.list.imports.some(isUnderWay);

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

  return { ...seen, problem, refresh };
}
