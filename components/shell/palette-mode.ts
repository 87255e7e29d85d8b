/** What the text in the command palette asks for. */
export type PaletteMode =
  | { kind: "commands"; text: string }
  /** `text` is a filter, as the filter bar takes it. */
  | { kind: "filter"; text: string }
  | { kind: "subjects"; role: "actor" | "target"; text: string }
  | { kind: "event"; id: string };

const EVENT_ID = /^(?:audit_event_)?([0-7][0-9A-HJKMNP-TV-Z]{25})$/i;

export function parsePalette(input: string): PaletteMode {
  const text = input.trim();
  const ulid = EVENT_ID.exec(text)?.[1];
  if (ulid) return { kind: "event", id: `audit_event_${ulid.toUpperCase()}` };
  const rest = text.slice(1).trim();
  switch (text[0]) {
    case "/":
      return { kind: "filter", text: rest };
    case "@":
      return { kind: "subjects", role: "actor", text: rest };
    case "#":
      return { kind: "subjects", role: "target", text: rest };
    default:
      return { kind: "commands", text };
  }
}

/** A place in the organization, as the palette names it. */
export interface Destination {
  label: string;
  href: string;
}

export const MAX_RECENT = 8;

/** With the place at the top, each place once. */
export function addRecent(recent: readonly Destination[], place: Destination): Destination[] {
  return [place, ...recent.filter(({ href }) => href !== place.href)].slice(0, MAX_RECENT);
}

/** What a browser kept; anything else is no places. */
export function parseRecent(stored: string | null): Destination[] {
  try {
    const places: unknown = JSON.parse(stored ?? "[]");
    if (!Array.isArray(places)) return [];
    return places
      .filter(({ label, href }) => typeof label === "string" && /^\/o\//.test(href))
      .slice(0, MAX_RECENT);
  } catch {
    return [];
  }
}
