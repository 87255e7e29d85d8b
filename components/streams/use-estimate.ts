import { useEffect, useState } from "react";
import { useDebounced } from "@/components/events/use-debounced";
import type { ActionResult } from "@/lib/http/action-result";
import type { RangeEstimate } from "@/lib/streams/work-schema";
import { estimateWords } from "./words";

const DEBOUNCE_MS = 400;

/**
 * How many events a range holds, in words; asked again once the range stands still.
 * @param range null asks for nothing
 */
export function useEstimate(
  range: object | null,
  estimate: (range: object) => Promise<ActionResult<RangeEstimate>>,
): string {
  const [words, setWords] = useState("Counting…");
  const settled = useDebounced(JSON.stringify(range), DEBOUNCE_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the range asks again, not the function.
  useEffect(() => {
    const asked = JSON.parse(settled) as object | null;
    if (!asked) return;
    let isCurrent = true;
    setWords("Counting…");
    estimate(asked)
      .then((result) => {
        if (!isCurrent) return;
        if (result.ok) setWords(estimateWords(result.data));
        else setWords(result.errors[0]?.code ?? result.message);
      })
      .catch(() => isCurrent && setWords("The count could not be read."));
    return () => {
      isCurrent = false;
    };
  }, [settled]);
  return words;
}
