import type { Scope } from "@/lib/auth/scope";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { filterOf } from "@/lib/events/server/filter-of";
import { getEvent } from "@/lib/events/server/get-event";
import { listEvents } from "@/lib/events/server/list";
import { recordSearch } from "@/lib/events/server/record-read";
import { newId } from "@/lib/ids";
import type { StreamEvent } from "../destination";
import { previewText } from "../preview-text";
import { openDestination } from "../registry";
import type { FormatPreview, PreviewFormatInput } from "../schema";

const SHOWN = 3;
const LOOKED_AT = 50;

/** Stands in for events as long as there are none, or none that may be seen. */
function sampleItem(organizationId: string): StreamEvent {
  const now = new Date().toISOString();
  return {
    kind: "event",
    seq: 0,
    chainHash: "0".repeat(64),
    previousHash: null,
    recordedAt: now,
    event: {
      id: newId("event"),
      organization_id: organizationId,
      action: "user.signed_in",
      version: 1,
      occurred_at: now,
      actor: { type: "user", id: "user_1", name: "Ada Example" },
      targets: [{ type: "team", id: "team_1" }],
      context: { location: "192.0.2.1", user_agent: "Mozilla/5.0" },
      metadata: { sample: "This event is made up. It is not part of the log." },
    },
  };
}

/**
 * The organization's newest events that a filter takes, as a destination would get them. Who manages streams and
 * may not read events sees one that is made up.
 * @throws AppError invalid_filter; invalid_request for a configuration or a format that is not the destination's
 */
export async function previewFormat(
  scope: Scope,
  input: PreviewFormatInput,
): Promise<FormatPreview> {
  const destination = openDestination(input.destination, input.config);
  const format = destination.chooseFormat(input.format);
  const filter = filterOf(input.filter);
  const newest = await listEvents(scope, { filter: EMPTY_FILTER, limit: LOOKED_AT });
  const found = await listEvents(scope, { filter, limit: LOOKED_AT });
  const looked = new Set(newest.rows.map(({ id }) => id));
  const maySee = scope.permissions.has("events:read");
  if (maySee) await recordSearch(scope, { filter, time: { kind: "all" } });
  const matching = (maySee ? found.rows.slice(0, SHOWN) : []).map(({ id }) => getEvent(scope, id));
  const items = (await Promise.all(matching)).flatMap((detail): StreamEvent[] => {
    if (!detail) return [];
    const { seq, chainHash, recordedAt, event } = detail;
    // No event is before the first.
    const previousHash = seq === 0 ? null : detail.previousHash;
    return [{ kind: "event", seq, chainHash, previousHash, recordedAt, event }];
  });
  const isSample = looked.size === 0 || !maySee;
  if (isSample) items.push(sampleItem(scope.organizationId));
  return {
    format,
    isSample,
    events: items.map((item) => ({
      id: item.event.id,
      text: previewText(destination, format, item),
    })),
    matched: found.rows.filter(({ id }) => looked.has(id)).length,
    lookedAt: looked.size,
    searchedTo: found.searchedTo,
  };
}
