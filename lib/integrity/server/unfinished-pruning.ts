import { genesisHash } from "@/lib/chain/event-hash";
import { rowHolds } from "../classify";
import type { ControlEvents } from "./control-events";
import type { Epochs } from "./epochs";
import type { FindingList } from "./findings";
import { wrongProjection } from "./projections";
import { sealRow, selectRows } from "./sealed-rows";
import { bytes, type Snapshot } from "./snapshot";
import type { TargetCheck } from "./target-check";
import type { TileCheck } from "./tile-check";
import { WINDOW } from "./window-threads";

interface Beginning {
  /** Of the lowest row. */
  min: number;
  /** Where the log begins, and the chain hash before it, which a signed event names. */
  firstSeq: number;
  chainHash: Buffer | null;
}

interface Around {
  snapshot: Snapshot;
  findings: FindingList;
  epochs: Epochs;
  tiles: TileCheck;
  targets: TargetCheck | null;
  control: ControlEvents;
  signal?: AbortSignal | undefined;
}

async function readLeftAfter(snapshot: Snapshot): Promise<Buffer | null> {
  const [row] = await snapshot.query(
    `SELECT left_after FROM retention_runs WHERE organization_id = $1 AND left_after IS NOT NULL
     ORDER BY prune_size DESC LIMIT 1`,
  );
  return row?.[0] ? bytes(row[0]) : null;
}

/**
 * Looks at rows below a log's beginning. A pruning is recorded before its rows go, from the lowest on: what it has not
 * come to yet is whole, and leads to the hash in the record. Anything else was put there, and is a finding.
 * @returns how many events are still to go; 0 for a finding
 */
export async function checkUnfinishedPruning(
  { min, firstSeq, chainHash }: Beginning,
  { snapshot, findings, epochs, tiles, targets, control, signal }: Around,
): Promise<number> {
  // Whoever deletes keeps the hash of the last one that went; before that it is in a tile.
  const before =
    min > 0 ? ((await tiles.lookUp([min - 1]))(min - 1) ?? (await readLeftAfter(snapshot))) : null;
  let previous = min === 0 ? genesisHash(epochs.originAt(0)) : before;
  let seq = min;
  let holds = min >= 0 && previous !== null;
  for (let from = min; holds && from < firstSeq; from += WINDOW) {
    signal?.throwIfAborted();
    const to = Math.min(from + WINDOW, firstSeq);
    await targets?.readTo(to);
    for (const raw of await selectRows(snapshot, from, to)) {
      const row = sealRow(snapshot.organizationId, raw);
      holds &&=
        row.seq === seq && previous !== null && rowHolds(epochs.originAt, row, seq, previous);
      control.add(row, holds);
      const column = wrongProjection(row);
      if (column) {
        const detail = `${column} column differs from the sealed event`;
        findings.add({ kind: "projection_mismatch", seq: row.seq, detail });
      }
      targets?.compare(row);
      previous = row.stored;
      seq += 1;
    }
    holds &&= seq === to;
    targets?.reportOrphans(to);
  }
  if (holds && chainHash && previous?.equals(chainHash)) return firstSeq - min;
  const detail = `row(s) before the log's first sequence number ${firstSeq}`;
  findings.add({ kind: "inserted_row", seq: min, detail });
  return 0;
}
