function href(path: string, query: Record<string, string | number | undefined>): string {
  const present = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(present.map(([key, value]) => [key, String(value)]));
  return present.length > 0 ? `${path}?${search}` : path;
}

export function schemasHref(
  organizationId: string,
  query: { q?: string; after?: string } = {},
): string {
  return href(`/o/${organizationId}/schemas`, query);
}

/** Names stand in the query: an action may be called `a/b` or `..`. */
export function actionHref(
  organizationId: string,
  query: { name: string; version?: number; against?: number; before?: number },
): string {
  return href(`/o/${organizationId}/schemas/action`, query);
}

export function newVersionHref(organizationId: string, action?: string): string {
  return href(`/o/${organizationId}/schemas/new`, { action });
}

export function eventHref(organizationId: string, id: string): string {
  return href(`/o/${organizationId}/events`, { event: id });
}
