import type { StreamEvent } from "../destination";
import { factsOf, filled } from "./facts";

const VENDOR = "Trailseal";

/**
 * ArcSight Common Event Format, CEF:0, one line. Values are whole: a receiver may cut them at the lengths
 * of its dictionary. `src` is for IPv4 alone, an IPv6 address goes to `c6a2`, any other location to `cs2`.
 * Source: "Implementing ArcSight Common Event Format (CEF)", revision 25.
 */
export function cef(item: StreamEvent): string {
  const { kind, seq, chainHash, previousHash, recordedAt, event } = item;
  const { actor, targets, location, ip, ...facts } = factsOf(item);
  const { type: _, id, name, ...details } = actor;
  const address = ip?.includes(":") ? labelled("c6a2", "Source IPv6 Address", ip) : { src: ip };
  const header = [VENDOR, VENDOR, "1", event.action, event.action.replace(/[._-]+/g, " "), "1"];
  const more = { actor: filled(details), context: facts.context };
  const extension = {
    rt: Date.parse(event.occurred_at),
    externalId: event.id,
    cat: kind === "event" ? null : kind,
    msg: facts.message,
    outcome: facts.outcome,
    reason: facts.error?.message ?? facts.error?.code,
    suid: id,
    suser: name,
    ...address,
    requestClientApplication: facts.userAgent,
    ...labelled("cs1", "organizationId", event.organization_id),
    ...labelled("cs2", "location", ip ? null : location),
    ...labelled("cs3", "targets", targets.length > 0 ? targets : null),
    ...labelled("cs4", "metadata", facts.metadata),
    ...labelled("cs5", "previousHash", previousHash),
    ...labelled("cs6", "chainHash", chainHash),
    ...labelled("cn1", "sequence", seq),
    ...labelled("cn2", "schemaVersion", event.version),
    ...labelled("flexString1", "actorType", actor.type),
    ...labelled("flexString2", "details", more.actor || more.context ? more : null),
    ...labelled("deviceCustomDate1", "recordedAt", Date.parse(recordedAt)),
  };
  const fields = Object.entries(extension).flatMap(([key, value]) =>
    value === null || value === undefined || value === "" ? [] : `${key}=${extensionText(value)}`,
  );
  return `CEF:0|${header.map(headerText).join("|")}|${fields.join(" ")}`;
}

/** Both members, or none when there is no value. */
function labelled(key: string, label: string, value: unknown): Record<string, unknown> {
  return value === null || value === undefined ? {} : { [key]: value, [`${key}Label`]: label };
}

/** A header has no way to say a newline. */
const headerText = (text: string) => text.replace(/[\r\n]+/g, " ").replace(/[\\|]/g, "\\$&");

function extensionText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replace(/[\\=]/g, "\\$&").replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}
