"use client";

import dynamic from "next/dynamic";

const load = () => import("./event-drawer");

/** The drawer, loaded when an event is opened. */
export const EventDrawer = dynamic(() => load().then((module) => module.EventDrawer), {
  // Its own boundary: without one, the list would be hidden while the drawer loads, and lose the focus.
  loading: () => null,
});

/** For when somebody is about to open one. */
export function preloadDrawer(): void {
  void load();
}
