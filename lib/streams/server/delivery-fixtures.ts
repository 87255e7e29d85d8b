import { randomBytes } from "node:crypto";
import type { Receiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { writePool } from "@/lib/db/pool";
import { parseImportedEvent } from "@/lib/events/schema";
import { type AppendItem, appendBatch } from "@/lib/events/server/append";
import { newId } from "@/lib/ids";
import type { CreateStreamInput } from "../schema";
import { type DeliverySettings, deliverDue } from "./deliver";
import { createStream, getStream } from "./streams";

/** What the delivery tests share; no test itself. */

export const FAST: Partial<DeliverySettings> = {
  pollMs: 20,
  leaseMs: 1_500,
  deadlineMs: 1_000,
  backoffMs: 50,
  maxBackoffMs: 400,
  probeMs: 300,
};
/** A busy machine is not the fault that is tried. */
export const PATIENT: typeof FAST = { ...FAST, deadlineMs: 10_000, leaseMs: 12_000 };
export const TOKEN = "0b9f6d0e-7a1c-4d8e-9f41-aa0c5d7741c9";

export async function newOrganization(): Promise<Scope> {
  const organizationId = newId("organization");
  await writePool().query("INSERT INTO organizations (id, name) VALUES ($1, 'Test')", [
    organizationId,
  ]);
  await writePool().query(
    "INSERT INTO log_heads (organization_id, origin, head_hash) VALUES ($1, $2, sha256('genesis'))",
    [organizationId, `test.example/${organizationId}`],
  );
  return systemScope("cli", organizationId);
}

export async function append(
  scope: Scope,
  actions: string[],
  metadata: object = { nested: { text: 'tab\t quote " line\n' } },
): Promise<void> {
  const items = actions.map((action): AppendItem => {
    const parsed = parseImportedEvent({
      action,
      occurred_at: "2026-01-02T03:04:05.678Z",
      actor: { type: "user", id: "u1" },
      targets: [{ type: "team", id: "t1" }],
      metadata,
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return { event: parsed.value, key: randomBytes(32), keylessKey: null, source: "import" };
  });
  for (let from = 0; from < items.length; from += 500) {
    await appendBatch(scope.organizationId, items.slice(from, from + 500));
  }
}

export const plain = (count: number) => Array.from({ length: count }, () => "user.signed_in");

/** A stream of everything that is appended from now on: not of the event that tells of itself. */
export async function addStream(
  receiver: Receiver,
  scope: Scope,
  destination: "webhook" | "splunk",
  more: Partial<CreateStreamInput> = {},
): Promise<string> {
  const { stream } = await createStream(scope, {
    destination,
    name: "SOC",
    from: "now",
    config: { url: destination === "webhook" ? `${receiver.url}/hook` : receiver.url },
    secrets: destination === "webhook" ? {} : { token: TOKEN },
    ...more,
  });
  return stream.id;
}

/** What arrived, without what the log tells of its streams. */
export const received = (receiver: Receiver) =>
  receiver.stored().filter(({ action }) => !action.startsWith("trailseal."));

export async function until(
  what: string,
  done: () => Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`${what} did not happen in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs the delivery loop in this process while `work` goes on. */
export async function whileDelivering(work: () => Promise<void>, settings = FAST): Promise<void> {
  const stop = new AbortController();
  const loop = deliverDue(stop.signal, settings);
  try {
    await work();
  } finally {
    stop.abort();
    await loop;
  }
}

export const drained = (scope: Scope, id: string) =>
  until("the end of the lag", async () => (await getStream(scope, id)).lagEvents === 0);

export interface Tally {
  lost: number[];
  copies: number;
  outOfOrder: number;
}

/** What a receiver sees that drops sequences it has: nothing lost, first sights in order. */
export function tally(stored: { seq: number | null }[], expected: number[]): Tally {
  const seen = new Set<number>();
  let copies = 0;
  let outOfOrder = 0;
  let highest = -1;
  for (const { seq } of stored) {
    if (seq === null) continue;
    if (seen.has(seq)) copies += 1;
    else if (seq < highest) outOfOrder += 1;
    seen.add(seq);
    highest = Math.max(highest, seq);
  }
  return { lost: expected.filter((seq) => !seen.has(seq)), copies, outOfOrder };
}

/** Sequences of the first events after the one that tells of the stream. */
export const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** A stream of any destination, from the log's start. */
export async function addStreamTo(
  scope: Scope,
  destination: string,
  config: Record<string, unknown>,
  secrets: Record<string, string> = {},
): Promise<string> {
  const input = { destination, name: destination, from: "start" as const, config, secrets };
  return (await createStream(scope, input)).stream.id;
}

/** Sequences of what tests appended, without what the log tells of itself. */
export async function sequences(scope: Scope): Promise<number[]> {
  const { rows } = await writePool().query<{ seq: number }>(
    "SELECT seq FROM events WHERE organization_id = $1 AND action NOT LIKE 'trailseal.%' ORDER BY seq",
    [scope.organizationId],
  );
  return rows.map(({ seq }) => seq);
}

/** What arrived of these. */
export const withoutOwn = <Item extends { action: string }>(items: Item[]) =>
  items.filter(({ action }) => !action.startsWith("trailseal."));
