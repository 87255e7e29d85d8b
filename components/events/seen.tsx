"use client";

import { createContext, type ReactNode, useContext } from "react";
import type { StoredSight } from "@/lib/events/sight";

const Context = createContext<StoredSight | null>(null);

/** What the reader sees of the log; null: everything. */
export function useSight(): StoredSight | null {
  return useContext(Context);
}

export function SightProvider(props: { value: StoredSight | null; children: ReactNode }) {
  return <Context value={props.value}>{props.children}</Context>;
}
