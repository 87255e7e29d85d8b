"use client";

import { ChevronsUpDown, Keyboard, LogOut, Menu as MenuIcon, UserRound } from "lucide-react";
import Link from "next/link";
import { usePathname, useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Sheet } from "@/components/ui/dialog";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { Permission } from "@/lib/auth/permissions";
import { Logo } from "./logo";
import { PaletteButton } from "./palette-button";
import { openPanel } from "./panel";
import { PLACES, placeHref, placesFor } from "./places";
import { ThemeChoice } from "./theme-switch";

export interface NavigationProps {
  organization: { id: string; name: string };
  /** Those that the user reaches, and where each begins. */
  organizations: { id: string; name: string; home: string }[];
  user: { name: string; email: string };
  granted: readonly Permission[];
  /** Ends the session on the server. */
  signOut(): Promise<void>;
}

/** The place whose path is the longest prefix of where we are. */
function currentPlace(pathname: string, base: string): string | undefined {
  const here = pathname.slice(base.length + 1);
  return PLACES.filter(
    ({ path, also }) =>
      (path === "" ? here === "" : here.startsWith(path)) ||
      (also !== undefined && here.startsWith(also)),
  )
    .sort((a, b) => b.path.length - a.path.length)
    .at(0)?.path;
}

function initials(name: string): string {
  const parts = name.split(/[\s@.]+/).filter(Boolean);
  return parts
    .slice(0, 2)
    .map((part) => part.charAt(0).toUpperCase())
    .join("");
}

function Places(props: NavigationProps) {
  const base = `/o/${props.organization.id}`;
  const current = currentPlace(usePathname(), base);
  return (
    <nav aria-label="Main" className="mt-2 grid gap-px px-2">
      {placesFor(props.granted).map(({ Icon, ...place }) => (
        <Link
          key={place.path}
          href={placeHref(props.organization.id, place)}
          aria-current={place.path === current ? "page" : undefined}
          className="group flex h-7 items-center gap-2.5 rounded-[5px] px-2 text-(--text-2) hover:bg-(--hover) hover:text-(--text) aria-[current]:bg-[color-mix(in_srgb,var(--text)_6%,transparent)] aria-[current]:font-medium aria-[current]:text-(--text) max-sm:h-11"
        >
          <Icon
            size={16}
            strokeWidth={1.6}
            aria-hidden="true"
            className="text-(--text-3) group-aria-[current]:text-(--text)"
          />
          {place.label}
        </Link>
      ))}
    </nav>
  );
}

function OrganizationSwitch(props: NavigationProps) {
  const router = useRouter();
  return (
    <Menu
      label="Organizations"
      trigger={
        <button
          type="button"
          className="flex h-11 w-full items-center gap-2 px-4 text-left hover:bg-(--hover)"
        >
          <Logo />
          <span className="min-w-0 flex-1 truncate font-medium">{props.organization.name}</span>
          <ChevronsUpDown size={14} aria-hidden="true" className="text-(--text-3)" />
        </button>
      }
    >
      {props.organizations.map((organization) => (
        <MenuItem key={organization.id} onSelect={() => router.push(organization.home)}>
          <span className="min-w-0 flex-1 truncate">{organization.name}</span>
          {organization.id === props.organization.id && <span className="text-(--accent)">✓</span>}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem onSelect={() => router.push("/o")}>All organizations</MenuItem>
    </Menu>
  );
}

function UserMenu(props: NavigationProps) {
  const router = useRouter();
  return (
    <Menu
      label="Account"
      trigger={
        <button
          type="button"
          className="flex h-11 w-full items-center gap-2 px-4 text-left hover:bg-(--hover)"
        >
          <span className="grid size-5 place-items-center rounded-full border border-(--border-strong) text-[9px] font-medium text-(--text-2)">
            {initials(props.user.name)}
          </span>
          <span className="min-w-0 flex-1 truncate">{props.user.name}</span>
        </button>
      }
    >
      <p className="max-w-56 truncate px-2 py-1.5 text-[12px] text-(--text-3)">
        {props.user.email}
      </p>
      <ThemeChoice />
      <MenuSeparator />
      <MenuItem onSelect={() => router.push("/account")}>
        <UserRound size={14} aria-hidden="true" /> Your account
      </MenuItem>
      <MenuItem onSelect={() => openPanel("help")}>
        <Keyboard size={14} aria-hidden="true" /> Keyboard shortcuts
      </MenuItem>
      <MenuItem onSelect={() => void props.signOut()}>
        <LogOut size={14} aria-hidden="true" /> Sign out
      </MenuItem>
    </Menu>
  );
}

/** The left column: where you are, where you can go, who you are. */
export function Sidebar(props: NavigationProps) {
  return (
    <aside className="flex w-[184px] shrink-0 flex-col border-r border-(--border) bg-(--bg) max-md:hidden">
      <OrganizationSwitch {...props} />
      <Places {...props} />
      <div className="mt-auto border-t border-(--border)">
        <UserMenu {...props} />
      </div>
    </aside>
  );
}

/** The same on a small screen: a bar with a sheet behind its button. */
export function MobileBar(props: NavigationProps) {
  const [open, setOpen] = useState(false);
  const pathname = usePathname();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a navigation closes the sheet.
  useEffect(() => setOpen(false), [pathname]);
  return (
    <header className="flex h-13 shrink-0 items-center gap-2 border-b border-(--border) bg-(--bg) px-2 md:hidden">
      <Button
        variant="quiet"
        icon
        aria-label="Menu"
        onClick={() => setOpen(true)}
        className="h-11 w-11"
      >
        <MenuIcon size={18} aria-hidden="true" />
      </Button>
      <Logo />
      <span className="min-w-0 flex-1 truncate font-medium">{props.organization.name}</span>
      <PaletteButton isSmall />
      <Sheet open={open} onOpenChange={setOpen} title="Menu" side="left">
        <OrganizationSwitch {...props} />
        <Places {...props} />
        <div className="mt-auto border-t border-(--border)">
          <UserMenu {...props} />
        </div>
      </Sheet>
    </header>
  );
}
