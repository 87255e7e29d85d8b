import { readPreference, writePreference } from "@/components/shell/preferences";

/** Ids of exports that somebody asked for in this browser and was not told of yet. */

export const awaitedName = (organizationId: string) => `exports.${organizationId}`;

export const parseAwaited = (stored: string | null): string[] =>
  stored?.split(" ").filter(Boolean) ?? [];

function write(organizationId: string, ids: readonly string[]): void {
  writePreference(awaitedName(organizationId), ids.length > 0 ? ids.join(" ") : null);
}

export const readAwaited = (organizationId: string): string[] =>
  parseAwaited(readPreference(awaitedName(organizationId)));

export const awaitExport = (organizationId: string, id: string): void =>
  write(organizationId, [...readAwaited(organizationId), id]);

export function forgetAwaited(organizationId: string, ids: readonly string[]): void {
  const known = readAwaited(organizationId);
  const left = known.filter((id) => !ids.includes(id));
  if (left.length < known.length) write(organizationId, left);
}
