"use client";

import { Bookmark, ChevronDown, Star } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter, useSearchParams } from "next/navigation";
import { useRef, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "@/components/ui/menu";
import { DEFAULT_LAYOUT } from "@/lib/events/table-layout";
import type { ActionResult } from "@/lib/http/action-result";
import { type OpenView, type ViewList, viewHref, viewSearchOf } from "@/lib/views/view";
import { eventsHref, useOpenView } from "./open-view";
import { layoutName, useTableLayout } from "./use-table-layout";
import { ViewItems, type ViewListState } from "./view-items";

const ViewDialog = dynamic(() => import("./view-dialog").then((module) => module.ViewDialog), {
  ssr: false,
});

export interface ViewActions {
  list(organizationId: string): Promise<ActionResult<ViewList>>;
  create(
    organizationId: string,
    view: { name: string; isShared: boolean; search: string; layout: unknown },
  ): Promise<ActionResult<OpenView>>;
  update(
    organizationId: string,
    id: string,
    change: { name?: string; isShared?: boolean; search?: string; layout?: unknown },
  ): Promise<ActionResult<OpenView>>;
  remove(organizationId: string, id: string): Promise<ActionResult<null>>;
  mark(
    organizationId: string,
    id: string,
    mark: { isStarred?: boolean; isDefault?: boolean },
  ): Promise<ActionResult<OpenView>>;
}

/** Which view is open, what of it changed, and every other view. */
export function SavedViews(props: { organizationId: string; actions: ViewActions }) {
  const { organizationId, actions } = props;
  const router = useRouter();
  const params = useSearchParams();
  const { view, viewId, setView } = useOpenView();
  const base = view?.layout ?? DEFAULT_LAYOUT;
  const { layout, setLayout, isChanged: isLayoutChanged } = useTableLayout(layoutName(view), base);
  const [list, setList] = useState<ViewListState>({ kind: "loading" });
  const [dialog, setDialog] = useState<"create" | "edit" | "delete" | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, startTransition] = useTransition();
  const trigger = useRef<HTMLButtonElement>(null);

  const search = viewSearchOf(params);
  const isChanged = view !== null && (search !== view.search || isLayoutChanged);
  const isMissing = view === null && viewId !== null && viewId !== "none";

  const readList = async () => {
    const result = await actions.list(organizationId).catch(() => null);
    if (result?.ok) setList({ kind: "ready", ...result.data });
    else setList({ kind: "failed", message: result?.message ?? "The server did not answer." });
  };

  /** Runs a change of the open view; answers what to say when it failed. */
  const change = async (action: Promise<ActionResult<OpenView>>): Promise<string | null> => {
    const result = await action.catch(() => null);
    if (!result?.ok) return result?.message ?? "The server did not answer.";
    setView(result.data);
    const url = new URLSearchParams(location.search);
    url.set("view", result.data.id);
    history.replaceState(null, "", `${location.pathname}?${url}`);
    return null;
  };
  const changeNow = (action: () => Promise<ActionResult<OpenView>>) =>
    startTransition(async () => setProblem(await change(action())));

  const saveChanges = (id: string) =>
    startTransition(async () => {
      const failure = await change(actions.update(organizationId, id, { search, layout }));
      setProblem(failure);
      // The view is now what this browser had changed.
      if (!failure) setLayout(null);
    });
  const revert = (open: OpenView) => {
    setLayout(null);
    if (search !== open.search) router.push(viewHref(organizationId, open));
  };
  const remove = async (id: string): Promise<string | null> => {
    const result = await actions.remove(organizationId, id).catch(() => null);
    if (!result?.ok) return result?.message ?? "The server did not answer.";
    setLayout(null);
    const url = new URLSearchParams(location.search);
    url.delete("view");
    history.replaceState(null, "", eventsHref(organizationId, url, null));
    return null;
  };

  const closeDialog = () => {
    setDialog(null);
    // What opened the dialog was a menu's item, which is gone.
    setTimeout(() => trigger.current?.focus());
  };

  return (
    <div className="flex min-w-0 items-center gap-2">
      <Menu
        label="Views"
        onOpenChange={(isOpen) => isOpen && void readList()}
        trigger={
          <Button
            ref={trigger}
            variant="quiet"
            aria-busy={isBusy || undefined}
            aria-label={`View: ${view?.name ?? "none"}${isChanged ? ", changed" : ""}`}
            className="min-w-0 shrink px-2"
          >
            <Bookmark size={14} aria-hidden="true" className="shrink-0" />
            <span className="max-w-56 truncate">{view?.name ?? "Views"}</span>
            {isChanged && (
              <span title="Changed" className="size-1.5 shrink-0 rounded-full bg-(--text-2)" />
            )}
            <ChevronDown size={14} aria-hidden="true" className="shrink-0 text-(--text-3)" />
          </Button>
        }
      >
        {isMissing && (
          <p className="max-w-64 px-2 py-1.5 text-[12px] text-(--text-2)">
            The view in this link is private or gone. Its search is in the link.
          </p>
        )}
        {view && isChanged && view.isMine && (
          <MenuItem onSelect={() => saveChanges(view.id)}>Save changes</MenuItem>
        )}
        <MenuItem onSelect={() => setDialog("create")}>Save as new view…</MenuItem>
        {view && isChanged && <MenuItem onSelect={() => revert(view)}>Revert</MenuItem>}
        <MenuSeparator />
        <MenuItem onSelect={() => router.push(`/o/${organizationId}/events?view=none`)}>
          All events
        </MenuItem>
        <ViewItems
          list={list}
          openId={view?.id ?? null}
          onOpen={(chosen) => router.push(viewHref(organizationId, chosen))}
          onRetry={() => void readList()}
        />
        {view && (
          <>
            <MenuSeparator />
            <MenuLabel>{view.name}</MenuLabel>
            <MenuItem
              onSelect={() =>
                changeNow(() =>
                  actions.mark(organizationId, view.id, { isStarred: !view.isStarred }),
                )
              }
            >
              <Star size={14} aria-hidden="true" /> {view.isStarred ? "Remove star" : "Star"}
            </MenuItem>
            <MenuItem
              onSelect={() =>
                changeNow(() =>
                  actions.mark(organizationId, view.id, { isDefault: !view.isDefault }),
                )
              }
            >
              {view.isDefault ? "No longer my default" : "Make it my default"}
            </MenuItem>
            {view.isMine && (
              <>
                <MenuItem onSelect={() => setDialog("edit")}>Rename or share…</MenuItem>
                <MenuItem onSelect={() => setDialog("delete")} className="text-(--in-failed)">
                  Delete…
                </MenuItem>
              </>
            )}
          </>
        )}
      </Menu>
      {problem && (
        <p role="alert" className="min-w-0 truncate text-[12px] text-(--in-failed)" title={problem}>
          {problem}
        </p>
      )}
      {dialog && (
        <ViewDialog
          kind={dialog}
          view={dialog === "create" ? null : view}
          onSave={(input) =>
            change(
              view && dialog === "edit"
                ? actions.update(organizationId, view.id, input)
                : actions.create(organizationId, { ...input, search, layout }),
            )
          }
          onDelete={() => (view ? remove(view.id) : Promise.resolve(null))}
          onClose={closeDialog}
        />
      )}
    </div>
  );
}
