import type { StreamEvent } from "./destination";
import type { FormatId } from "./formats";
import type { OpenDestination } from "./registry";

/** What a destination would send for one event alone: JSON indented, other lines as they are. Needs no secret. */
export function previewText(
  destination: OpenDestination,
  format: FormatId,
  item: StreamEvent,
): string {
  // They go into headers and signatures, which are not shown.
  const secrets = destination.secretNames.required.map((name) => [
    name,
    destination.generateSecret(name) ?? "secret",
  ]);
  const batch = { events: [item], deliveryId: "msg_preview", sentAt: new Date(), format };
  const { body } = destination.frame(batch, Object.fromEntries(secrets));
  return (
    indented(body) ??
    body
      .trimEnd()
      .split("\n")
      .map((line) => indented(line) ?? line)
      .join("\n")
  );
}

/** Null for what is not JSON. An array of one is that one. */
function indented(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(Array.isArray(value) && value.length === 1 ? value[0] : value, null, 2);
  } catch {
    return null;
  }
}
