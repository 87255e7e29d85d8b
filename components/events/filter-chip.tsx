"use client";

import { X } from "lucide-react";
import type { KeyboardEvent } from "react";
import { Menu, MenuItem } from "@/components/ui/menu";
import type { Clause } from "@/lib/events/filter/ast";
import { serializeClause } from "@/lib/events/filter/serialize";
import { describeClause } from "./describe-clause";

const PART = "h-full px-1 hover:bg-(--hover) focus-visible:shadow-(--focus-inset) max-sm:px-2";

/** One clause: field (its menu), operator (inverts), value (edits), and × to remove it. */
export function FilterChip(props: {
  clause: Clause;
  onKeyDown(event: KeyboardEvent): void;
  onEdit(): void;
  onInvert(): void;
  onRemove(): void;
}) {
  const { field, operator, value } = describeClause(props.clause);
  const sentence = `${field} ${operator} ${value}`.trim();
  return (
    <li
      className="min-w-0"
      onKeyDown={(event) => {
        // Keys in the menu bubble through its portal.
        if (event.currentTarget.contains(event.target as Node)) props.onKeyDown(event);
      }}
    >
      <span className="flex h-5.5 max-w-full items-stretch overflow-hidden rounded-[3px] border border-(--border-strong) bg-(--sunken) text-[12px] focus-within:border-(--border-control) max-sm:h-11 max-sm:text-[14px]">
        <Menu
          label={sentence}
          trigger={
            <button
              type="button"
              data-chip
              className={`${PART} whitespace-nowrap ${field ? "font-mono" : "text-(--text-2)"}`}
              aria-label={`Filter: ${sentence}`}
            >
              {field || "text"}
            </button>
          }
        >
          <MenuItem onSelect={props.onEdit}>Edit</MenuItem>
          <MenuItem onSelect={props.onInvert}>Invert</MenuItem>
          <MenuItem
            onSelect={() => void navigator.clipboard?.writeText(serializeClause(props.clause))}
          >
            Copy
          </MenuItem>
          <MenuItem onSelect={props.onRemove}>Remove</MenuItem>
        </Menu>
        {(field || props.clause.negated) && (
          <button
            type="button"
            onClick={props.onInvert}
            title="Invert"
            aria-label={`Invert filter: ${sentence}`}
            className={`${PART} whitespace-nowrap ${props.clause.negated ? "text-(--in-failed)" : "text-(--text-2)"}`}
          >
            {operator}
          </button>
        )}
        {value && (
          <button
            type="button"
            onClick={props.onEdit}
            className={`${PART} min-w-0 truncate font-mono`}
            aria-label={`Edit filter: ${sentence}`}
          >
            {value}
          </button>
        )}
        <button
          type="button"
          onClick={props.onRemove}
          className={`${PART} text-(--text-3) hover:text-(--text) max-sm:min-w-11`}
          aria-label={`Remove filter: ${sentence}`}
        >
          <X size={12} aria-hidden="true" className="mx-auto" />
        </button>
      </span>
    </li>
  );
}
