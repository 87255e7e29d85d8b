"use client";

import { useEffect, useRef } from "react";
import { showToast } from "@/components/ui/toasts";
import { forgetAwaited, readAwaited } from "./awaited";
import { type ExportActions, isUnderWay } from "./listed";
import { endWords } from "./words";

const POLL_MS = 3_000;

/** Looks now and then at the exports that are awaited, and tells of each that is over. */
export function Awaited(props: { organizationId: string; read: ExportActions["read"] }) {
  const { organizationId } = props;
  const read = useRef(props.read);
  read.current = props.read;

  useEffect(() => {
    let isReading = false;
    const timer = setInterval(async () => {
      if (isReading || document.visibilityState !== "visible") return;
      isReading = true;
      // A failure is not news here: the next look may tell.
      const result = await read.current(organizationId, null).catch(() => null);
      isReading = false;
      if (!result?.ok) return;
      const listed = new Map(result.data.exports.map((one) => [one.id, one]));
      const found = readAwaited(organizationId).map((id) => ({ id, one: listed.get(id) }));
      const over = found.filter(({ one }) => !one || !isUnderWay(one));
      forgetAwaited(
        organizationId,
        over.map(({ id }) => id),
      );
      for (const { one } of over) if (one) showToast(endWords(one));
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [organizationId]);

  return null;
}
