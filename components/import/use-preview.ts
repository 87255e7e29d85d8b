import { useEffect, useRef, useState } from "react";
import type { Preview } from "@/lib/import/run-import";
import type { ImportSetup } from "@/lib/import/schema";
import type { SetUpActions } from "./listed";

const PAUSE_MS = 300;

interface Seen {
  /** The last that could be made; it stays while the next one is on its way. */
  preview: Preview | null;
  /** Why there is none of what is set up now. */
  problem: string | null;
  /** By the field's path in the mapping. */
  errors: Record<string, string>;
}

const NOTHING: Seen = { preview: null, problem: null, errors: {} };
const PREFIX = "setup.mapping.";

/**
 * What the first rows become, asked for anew shortly after each change.
 * @param setup null: it is not to be asked about
 * @param asked changes when the file is taken for something else
 */
export function usePreview(
  organizationId: string,
  id: string,
  setup: ImportSetup | null,
  asked: string,
  preview: SetUpActions["preview"],
): Seen & { isStale: boolean; askAgain(): void } {
  const [seen, setSeen] = useState<Seen>(NOTHING);
  const [shown, setShown] = useState<string | null>(null);
  const ask = useRef(preview);
  ask.current = preview;
  const [tries, setTries] = useState(1);
  const wanted = setup && JSON.stringify([asked, setup, tries]);

  useEffect(() => {
    if (wanted === null) return;
    let isOver = false;
    const timer = setTimeout(async () => {
      const [, next] = JSON.parse(wanted) as [string, ImportSetup];
      const result = await ask.current(organizationId, id, next).catch(() => null);
      if (isOver) return;
      setShown(wanted);
      if (result?.ok) return setSeen({ preview: result.data, problem: null, errors: {} });
      const errors = (result?.errors ?? []).map(({ field, code }) => [
        field.startsWith(PREFIX) ? field.slice(PREFIX.length) : field,
        code,
      ]);
      const message = result ? result.message : "The server did not answer.";
      setSeen((before) => ({
        preview: before.preview,
        problem: message.replaceAll(PREFIX, ""),
        errors: Object.fromEntries(errors),
      }));
    }, PAUSE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [organizationId, id, wanted]);

  return {
    ...seen,
    isStale: wanted !== null && shown !== wanted,
    askAgain: () => setTries(tries + 1),
  };
}
