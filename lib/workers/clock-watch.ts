import { CLOCK_TOLERANCE_MS } from "@/lib/clock";
import { writePool } from "@/lib/db/pool";
import { log } from "@/lib/log";
import { pause } from "./pause";

const INTERVAL_MS = 5_000;
const QUIET_MS = 3_600_000;

/** Decides what is worth a line: when an alarm begins, at most hourly for each log, and when it is over. */
export class ClockAlarms {
  /** When each log's alarm was last announced. */
  private readonly announcedMs = new Map<string, number>();
  private readonly standing = new Set<string>();

  /**
   * @param aheadMs logs whose received time lies ahead of the clock, and by how much
   * @param uptimeMs a clock that is never set
   */
  observe(aheadMs: ReadonlyMap<string, number>, uptimeMs: number): string[] {
    const lines: string[] = [];
    for (const [log, ms] of aheadMs) {
      if (uptimeMs - (this.announcedMs.get(log) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) continue;
      if (this.standing.has(log)) continue;
      this.announcedMs.set(log, uptimeMs);
      this.standing.add(log);
      lines.push(
        `clock set back: recorded_at of ${log} lies ${Math.ceil(ms / 1_000)} s ahead and stands still until the clock has caught up; check NTP`,
      );
    }
    for (const log of this.standing) {
      if (aheadMs.has(log)) continue;
      this.standing.delete(log);
      lines.push(`clock caught up: recorded_at of ${log} moves again`);
    }
    return lines;
  }
}

/** Says in the server's log when received times stand still, and when they move again. */
export async function watchClocks(signal: AbortSignal): Promise<void> {
  const alarms = new ClockAlarms();
  while (!signal.aborted) {
    const nowMs = Date.now();
    const { rows } = await writePool().query<{ organization_id: string; last_recorded_at: Date }>(
      "SELECT organization_id, last_recorded_at FROM log_heads WHERE last_recorded_at > $1",
      [new Date(nowMs + CLOCK_TOLERANCE_MS)],
    );
    const aheadMs = new Map(
      rows.map((row) => [row.organization_id, row.last_recorded_at.getTime() - nowMs]),
    );
    for (const line of alarms.observe(aheadMs, performance.now())) log().warn(line);
    await pause(INTERVAL_MS, signal);
  }
}
