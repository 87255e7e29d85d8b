"use client";

import { Check, Star } from "lucide-react";
import { MenuGroup, MenuItem } from "@/components/ui/menu";
import type { SavedView, ViewList } from "@/lib/views/view";

export type ViewListState =
  | { kind: "loading" }
  | ({ kind: "ready" } & ViewList)
  | { kind: "failed"; message: string };

interface Section {
  title: string;
  views: SavedView[];
}

/** Every view once: starred first, then one's own, then what others share. */
function viewSections(views: readonly SavedView[]): Section[] {
  const rest = views.filter(({ isStarred }) => !isStarred);
  return [
    { title: "Starred", views: views.filter(({ isStarred }) => isStarred) },
    { title: "My views", views: rest.filter(({ isMine }) => isMine) },
    { title: "Shared by others", views: rest.filter(({ isMine }) => !isMine) },
  ].filter((section) => section.views.length > 0);
}

/** The views of a menu. */
export function ViewItems(props: {
  list: ViewListState;
  openId: string | null;
  onOpen(view: SavedView): void;
  onRetry(): void;
}) {
  const { list } = props;
  if (list.kind === "loading")
    return (
      <p role="status" className="px-2 py-1.5 text-[12px] text-(--text-3)">
        Loading views…
      </p>
    );
  if (list.kind === "failed")
    return (
      <>
        <p role="alert" className="max-w-64 px-2 py-1.5 text-[12px] text-(--in-failed)">
          Could not load views. {list.message}
        </p>
        <MenuItem
          onSelect={(event) => {
            event.preventDefault();
            props.onRetry();
          }}
        >
          Retry
        </MenuItem>
      </>
    );
  return (
    <>
      {viewSections(list.views).map(({ title, views }) => (
        <MenuGroup key={title} label={title}>
          {views.map((view) => (
            <MenuItem
              key={view.id}
              textValue={view.name}
              aria-current={view.id === props.openId || undefined}
              onSelect={() => props.onOpen(view)}
            >
              <span className="w-3.5 shrink-0 text-(--accent)">
                {view.id === props.openId && <Check size={14} aria-hidden="true" />}
              </span>
              <span className="max-w-56 min-w-0 flex-1 truncate">{view.name}</span>
              <span className="flex items-center gap-1.5 text-[12px] text-(--text-3)">
                {view.isDefault && "default"}
                {view.isMine ? view.isShared && "shared" : (view.ownerName ?? "former member")}
                {view.isStarred && <Star size={12} role="img" aria-label="starred" />}
              </span>
            </MenuItem>
          ))}
        </MenuGroup>
      ))}
      {list.isCapped && (
        <p className="max-w-64 px-2 py-1.5 text-[12px] text-(--text-3)">
          More views are shared than are listed here.
        </p>
      )}
    </>
  );
}
