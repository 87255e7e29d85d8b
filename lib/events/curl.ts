import type { WireEvent } from "./schema";

/** A command that sends the event once more, as another one; its key comes from the shell. */
export function curlCommand(origin: string, event: WireEvent): string {
  const { id: _, organization_id, ...content } = event;
  const body = JSON.stringify({ organization_id, event: content });
  return [
    `curl -X POST ${quote(`${origin}/audit_logs/events`)}`,
    `-H "Authorization: Bearer $TRAILSEAL_API_KEY"`,
    "-H 'Content-Type: application/json'",
    `--data-binary ${quote(body)}`,
  ].join(" \\\n  ");
}

/** One word for a POSIX shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
