import { followTiles } from "@/lib/chain/server/tiles";
import { longPool } from "@/lib/db/pool";
import { followRollups } from "@/lib/events/server/rollups";
import { pause } from "./pause";

const IDLE_MS = 500;

/** Organizations whose log is ahead of a follower. Full tiles need 256 events before there is work. */
const BEHIND = `SELECT h.organization_id,
    h.next_seq / 256 > coalesce(t.next_seq, 0) / 256 AS tiles,
    h.next_seq > coalesce(r.next_seq, 0) AS rollups
  FROM log_heads h
  LEFT JOIN followers t ON t.organization_id = h.organization_id AND t.name = 'tiles'
  LEFT JOIN followers r ON r.organization_id = h.organization_id AND r.name = 'rollups'
  WHERE h.next_seq > coalesce(r.next_seq, 0) OR h.next_seq / 256 > coalesce(t.next_seq, 0) / 256
  ORDER BY h.organization_id`;

interface Behind {
  organization_id: string;
  tiles: boolean;
  rollups: boolean;
}

/** Keeps tiles and rollups up with the sequence; readers count the newest tail themselves. */
export async function followLogs(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await longPool().query<Behind>(BEHIND);
    for (const behind of rows) {
      if (signal.aborted) return;
      if (behind.tiles) await followTiles(behind.organization_id);
      if (behind.rollups) await followRollups(behind.organization_id);
    }
    await pause(IDLE_MS, signal);
  }
}
