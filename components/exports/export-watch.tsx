"use client";

import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { usePreference } from "@/components/shell/preferences";
import { awaitedName, parseAwaited } from "./awaited";
import type { ExportActions } from "./listed";

// Few pages are open while an export is awaited: the others do not load what watches it.
const Awaited = dynamic(() => import("./awaited-exports").then((module) => module.Awaited), {
  ssr: false,
});

/** Says on any other page that an export is ready which was asked for in this browser. */
export function ExportWatch(props: { organizationId: string; read: ExportActions["read"] }) {
  const isElsewhere = usePathname() !== `/o/${props.organizationId}/exports`;
  const ids = parseAwaited(usePreference(awaitedName(props.organizationId)));
  return isElsewhere && ids.length > 0 && <Awaited {...props} />;
}
