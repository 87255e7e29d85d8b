"use client";

import { useMemo } from "react";
import { usePreference, writePreference } from "@/components/shell/preferences";
import type { Counted, Facet, MetadataKeys } from "@/lib/events/facets";
import { fields } from "@/lib/events/fields";
import type { EventFilter, FieldRef } from "@/lib/events/filter/ast";
import { clearField, fieldRef } from "@/lib/events/filter/edit";
import { serializeField } from "@/lib/events/filter/serialize";
import { type EventSearch, toSearchParams } from "@/lib/events/filter/url";
import { isHidden } from "@/lib/events/sight";
import { FacetSection } from "./facet-section";
import { useSight } from "./seen";
import { useFetched } from "./use-fetched";
import { clockOf, useZone, zoneOffset } from "./zone";

export interface Facets {
  organizationId: string;
  search: EventSearch;
  /** Another one means that the events were read anew. */
  version: unknown;
  onFilter(filter: EventFilter): void;
}

const OPENED = "facets.opened";

/** Base facets are open, metadata keys are closed, until somebody says otherwise. */
function useOpened() {
  const stored = usePreference(OPENED);
  const opened = useMemo((): Record<string, boolean> => {
    try {
      return JSON.parse(stored ?? "{}");
    } catch {
      return {};
    }
  }, [stored]);
  const setOpened = (name: string, isOpen: boolean) =>
    writePreference(OPENED, JSON.stringify({ ...opened, [name]: isOpen }));
  return { opened, setOpened };
}

/** Where the facets of a search are answered. */
export function facetsUrl(organizationId: string, search: EventSearch, more: [string, string][]) {
  const params = toSearchParams({ ...search, event: null, after: null, before: null });
  for (const [name, value] of more) params.append(name, value);
  return `/o/${organizationId}/events/facets?${params}`;
}

/** One section per faceted field of the registry, then one per metadata key of the newest matches. */
export function FacetSections(props: Facets) {
  const { organizationId, search, version } = props;
  const { opened, setOpened } = useOpened();
  const sight = useSight();
  const hidden = useMemo(() => new Set(sight?.hidden), [sight]);
  const base = useMemo(
    () =>
      fields
        .filter(({ id, facet }) => facet && !isHidden(hidden, { id }))
        .map(({ id, label }) => ({
          field: fieldRef(id),
          name: id as string,
          label,
          isMetadata: false,
        })),
    [hidden],
  );
  const keys = useFetched<{ keys: MetadataKeys }>(
    hidden.has("metadata") ? null : facetsUrl(organizationId, search, [["keys", "1"]]),
    version,
  );
  const all = [
    ...base,
    ...(keys.data?.keys.keys ?? []).map(({ key }) => {
      const field = fieldRef("metadata", key);
      return { field, name: serializeField(field), label: serializeField(field), isMetadata: true };
    }),
  ];
  const isOpen = (name: string, isMetadata: boolean) => opened[name] ?? !isMetadata;

  // Those without a clause of their own are counted on the same events: one request for all of them.
  const shared = all.filter(
    ({ field, name, isMetadata }) => isOpen(name, isMetadata) && !hasClause(search.filter, field),
  );
  const together = useFetched<{ facets: Record<string, Facet> }>(
    shared.length > 0
      ? facetsUrl(
          organizationId,
          search,
          shared.map(({ name }): [string, string] => ["field", name]),
        )
      : null,
    version,
  );
  return (
    <>
      {all.map(({ field, name, label, isMetadata }) => {
        const isShared = shared.some((each) => each.name === name);
        return (
          <FacetSection
            key={name}
            {...props}
            field={field}
            name={name}
            label={label}
            isOpen={isOpen(name, isMetadata)}
            onOpen={(open) => setOpened(name, open)}
            shared={
              isShared
                ? {
                    facet: together.data?.facets[name] ?? null,
                    isStale: together.isStale,
                    failure: together.failure,
                    retry: together.retry,
                  }
                : null
            }
          />
        );
      })}
      {keys.data && keys.data.keys.distinct > keys.data.keys.keys.length && (
        <p className="px-3 pt-2 text-[11px] leading-4 text-(--text-3)">
          The {keys.data.keys.keys.length} most frequent of {keys.data.keys.distinct} metadata keys.
        </p>
      )}
      <Coverage
        counted={
          Object.values(together.data?.facets ?? {}).find(({ counted }) => counted.kind !== "all")
            ?.counted
        }
      />
    </>
  );
}

function hasClause(filter: EventFilter, field: FieldRef): boolean {
  return clearField(filter, field).clauses.length < filter.clauses.length;
}

/** What the counts are about, where that is not every match. */
export function Coverage(props: { counted: Counted | undefined }) {
  const zone = useZone();
  const { counted } = props;
  if (!counted || counted.kind === "all") return null;
  const { day, time } = clockOf(counted.backTo, zone);
  const back = `back to ${day} ${time.slice(0, 5)} ${zoneOffset(zone, counted.backTo)}`;
  return (
    <p className="px-3 py-2 text-[11px] leading-4 text-(--text-3)" suppressHydrationWarning>
      {counted.kind === "newest"
        ? `Counted in the newest ${counted.matches.toLocaleString("en-US")} matches, ${back}.`
        : `Counted ${back}; what is older was not searched.`}
    </p>
  );
}
