"use client";

import { TriangleAlert } from "lucide-react";
import { useSyncExternalStore } from "react";

const never = () => () => undefined;

/** The address in the browser's own bar; the server only knows what proxies told it. */
export function ConnectedHost(props: { guess: string }) {
  const host = useSyncExternalStore(
    never,
    () => window.location.host,
    () => props.guess,
  );
  return <>{host}</>;
}

/** Plain http works everywhere, but off this machine not unnoticed. The browser knows best which it is. */
export function PlainHttpWarning(props: { guess: boolean }) {
  const isExposed = useSyncExternalStore(
    never,
    () => !window.isSecureContext,
    () => props.guess,
  );
  if (!isExposed) return null;
  return (
    <p className="mb-5 flex gap-2 rounded-[5px] bg-(--op-denied-tint) px-3 py-2 text-[12px] leading-4 text-(--op-denied)">
      <TriangleAlert aria-hidden="true" className="mt-px size-3.5 shrink-0" />
      This connection is not encrypted: others on the network can read your password. Put TLS in
      front and set TRAILSEAL_URL.
    </p>
  );
}
