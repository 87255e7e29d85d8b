import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { followTiles } from "@/lib/chain/server/tiles";
import { sha256 } from "@/lib/chain/sha256";
import { appendBatch } from "@/lib/events/server/append";
import { followRollups } from "@/lib/events/server/rollups";
import { newId } from "@/lib/ids";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { verifyLog } from "@/lib/integrity/server/verify";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { eraseEvents } from "@/lib/retention/server/erase";
import { pruneEvents } from "@/lib/retention/server/prune";
import { events as eventsOf, take } from "./ingest";

const MOST_AT_ONCE = 50;
const LONGEST_PAUSE_MS = 200;
const SIGN_EVERY_MS = 2_000;
const FOLLOW_EVERY_MS = 1_000;
const CHANGES_EVERY_MS = 180_000;
/** A short run has some, too. */
const FEWEST_CHANGES = 6;
const WHOLE_EVERY = 8;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Writes, follows, signs, erases and prunes a log for so long, all at once, and verifies it all the while: its newest
 * events, and now and then the whole. Every finding would be a false alarm.
 * @throws Error with the first
 */
export async function soak(minutes: number, say: (message: string) => void): Promise<string> {
  const { id } = await createOrganization(systemInstanceScope("cli"), { name: "Soak" });
  const scope = systemScope("cli", id);
  const end = Date.now() + minutes * 60_000;
  const done = { events: 0, whole: 0, newest: 0, erased: 0, pruned: 0, checkpoints: 0 };
  let failure: unknown = null;

  async function repeat(step: () => Promise<unknown>, everyMs: () => number): Promise<void> {
    while (Date.now() < end && failure === null) {
      try {
        await step();
      } catch (error) {
        failure ??= error;
      }
      await pause(everyMs());
    }
  }

  const source = eventsOf(11);
  const write = async () => {
    const made = take(source, 1 + Math.floor(Math.random() * MOST_AT_ONCE));
    const items = made.map((event) => {
      const key = sha256(newId("request"));
      return { event, key, keylessKey: null, source: "import" as const };
    });
    done.events += (await appendBatch(id, items)).length;
  };
  const sign = async () => {
    if ((await cutCheckpoint(id)).kind === "signed") done.checkpoints += 1;
  };
  const follow = async () => {
    await followTiles(id);
    await followRollups(id);
  };
  const started = Date.now();
  const changeEveryMs = Math.min(CHANGES_EVERY_MS, (end - started) / FEWEST_CHANGES);
  /** Erases somebody, and prunes what is older than half of the time so far. */
  const change = async () => {
    if (Date.now() - started < changeEveryMs) return;
    const [event] = take(source, 1);
    const erasure = { actor: event?.actor.id as string, context: true, metadata: true };
    done.erased += await eraseEvents(scope, { ...erasure, reason: "soak" });
    const { events } = await pruneEvents(scope, new Date((started + Date.now()) / 2));
    done.pruned += events;
  };
  let turn = 0;
  const verify = async () => {
    const isNewestOnly = turn++ % WHOLE_EVERY !== 0;
    const verdict = await verifyLog(scope, { isNewestOnly });
    if (!verdict.ok && verdict.kind !== "nothing_checked")
      throw new Error(`A false alarm: ${JSON.stringify(verdict)}`);
    done[isNewestOnly ? "newest" : "whole"] += 1;
    if (turn % 50 === 0) say(JSON.stringify(done));
  };

  await Promise.all([
    repeat(write, () => Math.random() * LONGEST_PAUSE_MS),
    repeat(sign, () => SIGN_EVERY_MS),
    repeat(follow, () => FOLLOW_EVERY_MS),
    repeat(change, () => changeEveryMs),
    repeat(verify, () => LONGEST_PAUSE_MS),
  ]);
  if (failure !== null) throw failure;
  const { events, erased, pruned, checkpoints, whole, newest } = done;
  return `${minutes} min: ${events} events written, ${erased} erased, ${pruned} pruned, ${checkpoints} checkpoints; ${whole} whole and ${newest} newest verifications beside that, no false alarm`;
}
