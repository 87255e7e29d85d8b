"use client";

import { usePathname } from "next/navigation";
import { useEffect, useRef } from "react";
import { usePreference } from "@/components/shell/preferences";
import { showToast } from "@/components/ui/toasts";
import { awaitedName, forgetAwaited, parseAwaited } from "./awaited";
import { type ExportActions, isUnderWay } from "./listed";
import { endWords } from "./words";

const POLL_MS = 3_000;

/** Says on any other page that an export is ready which was asked for in this browser; asks only while one is awaited. */
export function ExportWatch(props: { organizationId: string; read: ExportActions["read"] }) {
  const { organizationId } = props;
  const read = useRef(props.read);
  read.current = props.read;
  const isElsewhere = usePathname() !== `/o/${organizationId}/exports`;
  const stored = usePreference(awaitedName(organizationId));
  const isAwaiting = stored !== null && isElsewhere;

  useEffect(() => {
    if (!isAwaiting) return;
    let isReading = false;
    const timer = setInterval(async () => {
      if (isReading || document.visibilityState !== "visible") return;
      isReading = true;
      // A failure is not news here: the next look may tell.
      const result = await read.current(organizationId).catch(() => null);
      isReading = false;
      if (!result?.ok) return;
      const awaited = parseAwaited(stored);
      const listed = new Map(result.data.exports.map((one) => [one.id, one]));
      const over = awaited.filter((id) => {
        const one = listed.get(id);
        return !one || !isUnderWay(one);
      });
      forgetAwaited(organizationId, over);
      for (const id of over) {
        const one = listed.get(id);
        if (one) showToast(endWords(one));
      }
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [organizationId, isAwaiting, stored]);

  return null;
}
