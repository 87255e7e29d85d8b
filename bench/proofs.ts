import type { Scope } from "@/lib/auth/scope";
import { seedOrganization } from "@/lib/cli/seed";
import { longPool } from "@/lib/db/pool";
import { readEventProof } from "@/lib/integrity/server/event-proof";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { verifyLog } from "@/lib/integrity/server/verify";
import { quantiles, type Row } from "./measure";

const PROOFS = 200;
const NEWEST = 10_000;

/** How long one event's proof takes, how large it is, and a check of the newest events only. */
export async function benchProofs(scope: Scope, events: number): Promise<Row[]> {
  const { organizationId } = scope;
  await cutCheckpoint(organizationId);
  const places = Array.from({ length: PROOFS }, (_, at) => Math.floor((at * events) / PROOFS));
  const found = await longPool().query<{ id: string }>(
    "SELECT id FROM events WHERE organization_id = $1 AND seq = ANY($2)",
    [organizationId, places],
  );
  const timesMs: number[] = [];
  let largest = 0;
  for (const { id } of found.rows) {
    const started = performance.now();
    const { proof } = await readEventProof(scope, id);
    timesMs.push(performance.now() - started);
    largest = Math.max(largest, Buffer.byteLength(proof));
  }
  const { p50, p95 } = quantiles(timesMs);

  await verifyLog(scope);
  const options = { seed: 99, days: 1, end: new Date(), actors: 500, targets: 5_000 };
  await seedOrganization(organizationId, NEWEST, options);
  const started = performance.now();
  const verdict = await verifyLog(scope, { isNewestOnly: true });
  const newestMs = performance.now() - started;
  if (!verdict.ok || verdict.checked !== NEWEST)
    throw new Error(`The newest events do not verify: ${JSON.stringify(verdict)}`);

  const row = (what: string, ours: string, note: string): Row => ({
    what,
    ours,
    bare: "",
    ratio: null,
    target: null,
    note,
  });
  return [
    row(
      "proof of one event",
      `${p50.toFixed(1)} ms`,
      `p95 ${p95.toFixed(1)} ms, at most ${largest} B; floors 20 ms, 2,048 B${p95 > 20 || largest > 2_048 ? ": MISS" : ""}`,
    ),
    row(
      "check of the newest 10,000",
      `${Math.round(newestMs)} ms`,
      `floor 1,000 ms${newestMs > 1_000 ? ": MISS" : ""}`,
    ),
  ];
}
