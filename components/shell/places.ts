import {
  BadgeCheck,
  Braces,
  Download,
  KeyRound,
  LayoutDashboard,
  List,
  type LucideIcon,
  Settings,
  Split,
} from "lucide-react";

export interface Place {
  label: string;
  /** Below the organization. */
  path: string;
  /** Another path that belongs to the place. */
  also?: string;
  /** After `g`. */
  key: string;
  Icon: LucideIcon;
}

/** The pages of an organization that one can go to without knowing more. */
export const PLACES: readonly Place[] = [
  { label: "Overview", path: "", key: "o", Icon: LayoutDashboard },
  { label: "Events", path: "events", also: "timeline", key: "e", Icon: List },
  { label: "Integrity", path: "integrity", key: "i", Icon: BadgeCheck },
  { label: "Exports", path: "exports", key: "x", Icon: Download },
  { label: "Streams", path: "integrity/streams", key: "s", Icon: Split },
  { label: "Schemas", path: "schemas", key: "c", Icon: Braces },
  { label: "API keys", path: "settings/keys", key: "k", Icon: KeyRound },
  { label: "Settings", path: "settings", key: ",", Icon: Settings },
];

export function placeHref(organizationId: string, { path }: Pick<Place, "path">): string {
  return `/o/${organizationId}${path && "/"}${path}`;
}
