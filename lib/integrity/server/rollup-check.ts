import type { FindingList } from "./findings";
import type { Snapshot } from "./snapshot";

interface Bucket {
  events: number;
  firstSeq: number;
}

function count(buckets: Map<string, Bucket>, key: string, seq: number): void {
  const bucket = buckets.get(key);
  if (bucket) bucket.events += 1;
  else buckets.set(key, { events: 1, firstSeq: seq });
}

/** Counts the events below the follower's cursor again and compares both rollups with that. */
export class RollupCheck {
  readonly #hours = new Map<string, Bucket>();
  /** By day, then action. */
  readonly #days = new Map<string, Map<string, Bucket>>();

  constructor(
    private readonly snapshot: Snapshot,
    private readonly findings: FindingList,
    /** Events below this are counted in the rollups. */
    private readonly followed: number,
    /** Whether rows that the rollups once counted are gone by pruning. */
    private readonly pruned: boolean,
  ) {}

  /** `occurredAt` is a normalised timestamp. */
  add(seq: number, occurredAt: string, action: string): void {
    if (seq >= this.followed) return;
    count(this.#hours, occurredAt.slice(0, 13), seq);
    const day = occurredAt.slice(0, 10);
    let actions = this.#days.get(day);
    if (!actions) {
      actions = new Map();
      this.#days.set(day, actions);
    }
    count(actions, action, seq);
  }

  async finish(): Promise<void> {
    const hours = await this.snapshot.query(
      "SELECT hour, events FROM rollup_hourly WHERE organization_id = $1 ORDER BY hour",
    );
    const hourly = hours.map(([hour, events]): [string, number] => [
      (hour as string).slice(0, 13).replace(" ", "T"),
      Number(events),
    ]);
    this.#compare("rollup_hourly", this.#hours, hourly);
    const actions = await this.snapshot.query(
      "SELECT day, action, events FROM rollup_actions_daily WHERE organization_id = $1 ORDER BY day, action",
    );
    const counted = new Map<string, Bucket>();
    for (const [day, byAction] of this.#days) {
      for (const [action, bucket] of byAction) counted.set(`${day} ${action}`, bucket);
    }
    const daily = actions.map(([day, action, events]): [string, number] => [
      `${day} ${action}`,
      Number(events),
    ]);
    this.#compare("rollup_actions_daily", counted, daily);
  }

  #compare(table: string, counted: Map<string, Bucket>, stored: [string, number][]): void {
    for (const [key, events] of stored) {
      const bucket = counted.get(key);
      counted.delete(key);
      this.#compareBucket(table, key, bucket, events);
    }
    for (const [key, bucket] of counted) this.#compareBucket(table, key, bucket, 0);
  }

  #compareBucket(table: string, key: string, bucket: Bucket | undefined, stored: number): void {
    const events = bucket?.events ?? 0;
    if (this.pruned ? stored >= events : stored === events) return;
    this.findings.add({
      kind: "projection_mismatch",
      seq: bucket?.firstSeq ?? null,
      detail: `${table} says ${stored} event(s) at ${key}, the log has ${events}`,
    });
  }
}
