"use client";

import { Download } from "lucide-react";
import Link from "next/link";
import { Button, buttonClasses } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import { type EventSearch, toSearchParams } from "@/lib/events/filter/url";
import { useOpenView } from "./open-view";
import { layoutName, useTableLayout } from "./use-table-layout";

const MARK = <Download size={14} aria-hidden="true" />;

/** Everything the search matches, not just what is on screen: as CSV at once, or as an export. */
export function DownloadMenu(props: {
  organizationId: string;
  search: EventSearch;
  canExport: boolean;
}) {
  const { view } = useOpenView();
  const { layout } = useTableLayout(layoutName(view), view?.layout);
  const params = toSearchParams({ ...props.search, event: null, after: null, before: null });
  const csvHref = `/o/${props.organizationId}/events/csv${params.size > 0 ? `?${params}` : ""}`;
  if (!props.canExport)
    return (
      <a
        href={csvHref}
        download
        className={buttonClasses({})}
        title="Every event that matches, as CSV"
      >
        {MARK} <span className="max-sm:sr-only">CSV</span>
      </a>
    );
  const columns = layout.columns.map(({ id }) => ["column", id]);
  const draft = new URLSearchParams([["new", "1"], ...params, ...columns]);
  return (
    <Menu
      label="Download"
      align="end"
      trigger={
        <Button title="Every event that matches, as a file">
          {MARK} <span className="max-sm:sr-only">Download</span>
        </Button>
      }
    >
      <MenuItem asChild>
        <a href={csvHref} download>
          Download CSV now
        </a>
      </MenuItem>
      <MenuItem asChild>
        <Link href={`/o/${props.organizationId}/exports?${draft}`}>Export…</Link>
      </MenuItem>
    </Menu>
  );
}
