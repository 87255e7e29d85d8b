"use client";

import { ChevronDown, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Input } from "@/components/ui/field";
import { fieldAt, type JsonPath } from "@/lib/events/filter/field-at";
import type { EventDetail } from "@/lib/events/schema";
import { HIDDEN } from "@/lib/events/sight";
import { type Pivot, PivotButtons, usePivotMenu, usePivots } from "./pivots";

interface Node {
  id: string;
  path: JsonPath;
  /** Its key or place; empty for the whole. */
  name: string;
  depth: number;
  value: unknown;
  /** Members; null for a scalar. */
  size: number | null;
  isOpen: boolean;
}

/** Folded from the start below this depth, or with more members. */
const OPEN_DEPTH = 3;
const OPEN_SIZE = 50;
/** Members shown at once; the rest behind a button. */
const MEMBERS_STEP = 200;

function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The event as it leaves the system, to fold, search and pivot on: one tab stop, arrows move. */
export function JsonTree({ event }: { event: EventDetail }) {
  const pivots = usePivots();
  const tree = useRef<HTMLDivElement>(null);
  const { openAt, menu } = usePivotMenu();
  const [isRaw, setRaw] = useState(false);
  const [folds, setFolds] = useState<Record<string, boolean>>({});
  const [limits, setLimits] = useState<Record<string, number>>({});
  const [activeId, setActiveId] = useState("$");
  const [find, setFind] = useState("");
  const text = useMemo(() => JSON.stringify(event.event, null, 2), [event]);
  const nodes = useMemo(
    () => visibleNodes(event.event, folds, limits, find.toLowerCase()),
    [event, folds, limits, find],
  );
  const at = Math.max(
    nodes.findIndex(({ id }) => id === activeId),
    0,
  );
  const found = find === "" ? [] : nodes.filter((node) => isFound(node, find.toLowerCase()));

  const pivotOf = (node: Node): Pivot | null => {
    const isValue = !isBranch(node.value) && node.value !== null && node.value !== HIDDEN;
    const field = isValue ? fieldAt(node.path) : null;
    return field && { field, value: String(node.value) };
  };
  const goTo = (node: Node | undefined) => {
    if (!node) return;
    setActiveId(node.id);
    document.getElementById(domId(node))?.scrollIntoView({ block: "nearest" });
  };
  const fold = (node: Node, isOpen: boolean) => setFolds({ ...folds, [node.id]: isOpen });

  const onKeyDown = (key: KeyboardEvent) => {
    const node = nodes[at];
    if (!node || key.target !== key.currentTarget || key.metaKey || key.ctrlKey) return;
    const parent = () => nodes.findLast(({ depth }, index) => index < at && depth < node.depth);
    const pivot = pivotOf(node);
    const element = document.getElementById(domId(node));
    if (key.key === "ArrowDown") goTo(nodes[at + 1]);
    else if (key.key === "ArrowUp") goTo(nodes[at - 1]);
    else if (key.key === "Home") goTo(nodes[0]);
    else if (key.key === "End") goTo(nodes.at(-1));
    else if (key.key === "ArrowRight" && node.size !== null)
      node.isOpen ? goTo(nodes[at + 1]) : fold(node, true);
    else if (key.key === "ArrowLeft") node.size && node.isOpen ? fold(node, false) : goTo(parent());
    else if (key.key === "Enter" && node.size !== null) fold(node, !node.isOpen);
    else if (key.key === "i" && pivot && pivots) pivots.include(pivot);
    else if (key.key === "e" && pivot && pivots) pivots.exclude(pivot);
    else if (key.key === "." && element && pivots) openAt(element, pivot, event);
    else return;
    key.preventDefault();
    key.stopPropagation();
  };

  if (isRaw)
    return (
      <>
        <Bar text={text} isRaw onRaw={setRaw} />
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
          tabIndex={0}
          className="overflow-auto rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] leading-[18px]"
          data-testid="event-json"
        >
          {text}
        </pre>
      </>
    );
  return (
    <>
      <Bar text={text} isRaw={false} onRaw={setRaw}>
        <Input
          value={find}
          onChange={(input) => setFind(input.target.value)}
          onKeyDown={(key) => {
            if (key.key !== "Enter" || found.length === 0) return;
            const now = found.findIndex(({ id }) => id === activeId);
            goTo(found[(now + (key.shiftKey ? found.length - 1 : 1)) % found.length]);
          }}
          placeholder="Find in JSON"
          aria-label="Find in JSON"
          className="h-7 min-w-0 flex-1 px-2 text-[12px] max-sm:h-11"
        />
        <span role="status" className="text-[12px] whitespace-nowrap text-(--text-3)">
          {find && `${found.length} found`}
        </span>
      </Bar>
      <div
        ref={tree}
        role="tree"
        aria-label="Event as JSON"
        aria-activedescendant={nodes[at] && domId(nodes[at])}
        tabIndex={0}
        onKeyDown={onKeyDown}
        className="group/tree overflow-x-auto rounded-[5px] bg-(--sunken) py-2 font-mono text-[12px] leading-5 outline-0 focus-visible:shadow-(--focus-inset)"
      >
        {nodes.map((node, index) => {
          const pivot = pivotOf(node);
          const more = limitOf(limits, node);
          return (
            <div
              key={node.id}
              id={domId(node)}
              role="treeitem"
              tabIndex={-1}
              aria-level={node.depth + 1}
              aria-expanded={node.size === null ? undefined : node.isOpen}
              aria-selected={index === at}
              onClick={() => {
                setActiveId(node.id);
                if (node.size !== null) fold(node, !node.isOpen);
              }}
              onKeyDown={() => {}}
              onContextMenu={(click) => {
                if (!pivots) return;
                click.preventDefault();
                setActiveId(node.id);
                openAt(click.currentTarget, pivot, event);
              }}
              className={`group flex min-h-5 items-start pr-2 hover:bg-(--hover) aria-selected:group-focus-visible/tree:bg-(--selected) max-sm:min-h-11 max-sm:items-center ${find && isFound(node, find.toLowerCase()) ? "bg-(--accent-tint)" : ""}`}
              style={{ paddingLeft: 8 + node.depth * 14 }}
            >
              <span className="w-4 shrink-0 pt-1 text-(--text-3)">
                {node.size !== null &&
                  (node.isOpen ? (
                    <ChevronDown size={12} aria-hidden="true" />
                  ) : (
                    <ChevronRight size={12} aria-hidden="true" />
                  ))}
              </span>
              <span className="min-w-0 flex-1 break-all">
                {node.name !== "" && <span className="text-(--text-2)">{node.name}: </span>}
                <Value node={node} />
                {node.isOpen && node.size !== null && node.size > more && (
                  <Button
                    className="ml-2 h-5 px-1.5 text-[11px] max-sm:h-11"
                    onClick={(click) => {
                      click.stopPropagation();
                      setLimits({ ...limits, [node.id]: more + MEMBERS_STEP });
                    }}
                  >
                    Show more of {node.size.toLocaleString("en-US")}
                  </Button>
                )}
              </span>
              {pivot && (
                <span className="flex opacity-0 group-hover:opacity-100 group-aria-selected:group-focus-visible/tree:opacity-100 max-sm:opacity-100">
                  <PivotButtons pivot={pivot} event={event} label={node.path.join(".")} hasMenu />
                </span>
              )}
            </div>
          );
        })}
      </div>
      {menu}
    </>
  );
}

function Bar(props: {
  text: string;
  isRaw: boolean;
  onRaw(isRaw: boolean): void;
  children?: React.ReactNode;
}) {
  return (
    <div className="mb-2 flex items-center gap-2">
      {props.children ?? <span className="flex-1" />}
      <Button aria-pressed={props.isRaw} onClick={() => props.onRaw(!props.isRaw)}>
        Raw
      </Button>
      <CopyButton text={props.text} label="Copy the JSON" />
    </div>
  );
}

function Value({ node }: { node: Node }) {
  if (node.size !== null) {
    const [open, close] = Array.isArray(node.value) ? ["[", "]"] : ["{", "}"];
    return (
      <span className="text-(--text-3)">
        {node.size === 0 ? open + close : node.isOpen ? open : `${open} ${node.size} ${close}`}
      </span>
    );
  }
  const look = typeof node.value === "string" ? "" : "text-(--op-updated)";
  return <span className={look}>{JSON.stringify(node.value)}</span>;
}

function domId(node: Node): string {
  return `json-${encodeURIComponent(node.id)}`;
}

function limitOf(limits: Record<string, number>, { id }: Pick<Node, "id">): number {
  return limits[id] ?? MEMBERS_STEP;
}

function isFound({ name, value }: Node, needle: string): boolean {
  if (name.toLowerCase().includes(needle)) return true;
  return !isBranch(value) && String(value).toLowerCase().includes(needle);
}

/** The nodes on screen, in order; everything that leads to something found is unfolded. */
function visibleNodes(
  root: unknown,
  folds: Record<string, boolean>,
  limits: Record<string, number>,
  needle: string,
): Node[] {
  const nodes: Node[] = [];
  const visit = (value: unknown, path: JsonPath, name: string) => {
    const id = ["$", ...path].join("\u0000");
    const members = isBranch(value) ? Object.entries(value) : null;
    const size = members?.length ?? null;
    const isWanted = needle !== "" && members !== null && holds(value, needle);
    const isOpen =
      isWanted || (folds[id] ?? (path.length < OPEN_DEPTH && (size ?? 0) <= OPEN_SIZE));
    nodes.push({ id, path, name, depth: path.length, value, size, isOpen });
    if (!isOpen || !members) return;
    for (const [key, member] of members.slice(
      0,
      isWanted ? members.length : limitOf(limits, { id }),
    ))
      visit(member, [...path, Array.isArray(value) ? Number(key) : key], key);
  };
  visit(root, [], "");
  return nodes;
}

function holds(value: unknown, needle: string): boolean {
  if (!isBranch(value)) return String(value).toLowerCase().includes(needle);
  return Object.entries(value).some(
    ([key, member]) => key.toLowerCase().includes(needle) || holds(member, needle),
  );
}
