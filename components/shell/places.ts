import {
  BadgeCheck,
  Braces,
  Download,
  Fingerprint,
  KeyRound,
  LayoutDashboard,
  Link2,
  List,
  type LucideIcon,
  Settings,
  Split,
  Upload,
  Users,
} from "lucide-react";
import type { Permission } from "@/lib/auth/permissions";

export interface Place {
  label: string;
  /** Below the organization. */
  path: string;
  /** Another path that belongs to the place. */
  also?: string;
  /** After `g`. */
  key: string;
  Icon: LucideIcon;
  needs: Permission;
}

/** The pages of an organization that one can go to without knowing more. */
export const PLACES: readonly Place[] = [
  { label: "Overview", path: "", key: "o", Icon: LayoutDashboard, needs: "overview:read" },
  { label: "Events", path: "events", also: "timeline", key: "e", Icon: List, needs: "events:read" },
  { label: "Integrity", path: "integrity", key: "i", Icon: BadgeCheck, needs: "integrity:read" },
  { label: "Exports", path: "exports", key: "x", Icon: Download, needs: "exports:manage" },
  { label: "Import", path: "import", key: "m", Icon: Upload, needs: "events:import" },
  { label: "Streams", path: "integrity/streams", key: "s", Icon: Split, needs: "streams:read" },
  { label: "Schemas", path: "schemas", key: "c", Icon: Braces, needs: "schemas:read" },
  { label: "Members", path: "settings/members", key: "p", Icon: Users, needs: "members:manage" },
  {
    label: "Single sign-on",
    path: "settings/sso",
    key: "l",
    Icon: Fingerprint,
    needs: "settings:manage",
  },
  { label: "Portal", path: "settings/portal", key: "t", Icon: Link2, needs: "members:manage" },
  { label: "API keys", path: "settings/keys", key: "k", Icon: KeyRound, needs: "keys:manage" },
  { label: "Settings", path: "settings", key: ",", Icon: Settings, needs: "settings:manage" },
];

/** Those that somebody may open. */
export const placesFor = (granted: readonly Permission[]): readonly Place[] =>
  PLACES.filter(({ needs }) => granted.includes(needs));

export function placeHref(organizationId: string, { path }: Pick<Place, "path">): string {
  return `/o/${organizationId}${path && "/"}${path}`;
}
