import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { genesisHash, leafHash } from "@/lib/chain/event-hash";
import { sha256 } from "@/lib/chain/sha256";
import { type ChainState, classifyBreak, type LeafRow, rowHolds } from "./classify";
import type { Finding } from "./schema";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
console.info(`classifier properties: TEST_SEED=${seed}`);

const origin = "log.test/org_a";
const recordedAt = "2026-01-02T00:00:00.000Z";

function chain(size: number): LeafRow[] {
  let previous = genesisHash(origin);
  return Array.from({ length: size }, (_, seq) => {
    const digest = sha256(`event ${seq}`);
    previous = leafHash(origin, seq, recordedAt, digest, previous);
    return { seq, recordedAt, digest, stored: previous };
  });
}

/** The walk of a verification over rows in memory. */
function walk(rows: LeafRow[], tiles: Buffer[], headHash: Buffer): Finding[] {
  const findings: Finding[] = [];
  let state: ChainState = { position: 0, offset: 0, previous: genesisHash(origin) };
  for (const row of rows) {
    while (row.seq >= state.position) {
      const twin = rows.some((other) => other !== row && other.seq === row.seq);
      if (!twin && row.seq === state.position) {
        const { previous, offset, position } = state;
        if (!previous || rowHolds(() => origin, row, row.seq + offset, previous)) {
          state = { position: position + 1, offset, previous: row.stored };
          break;
        }
      }
      const broken = classifyBreak({
        originAt: () => origin,
        state,
        rows,
        tileLeaf: (seq) => tiles[seq],
        headHash,
      });
      findings.push(broken.finding);
      state = broken.next;
      if (findings.length > rows.length) throw new Error("the walk does not move on");
    }
  }
  return findings;
}

const forged = (seq: number): LeafRow => ({
  seq,
  recordedAt,
  digest: sha256(`forged ${seq}`),
  stored: sha256("x"),
});
const renumbered = (rows: LeafRow[]) => rows.map((row, seq) => ({ ...row, seq }));

type Damage = (rows: LeafRow[], at: number) => LeafRow[];

const damages: Record<string, { kind: Finding["kind"]; apply: Damage }> = {
  "an edit": {
    kind: "edited_content",
    apply: (rows, at) => rows.with(at, { ...(rows[at] as LeafRow), digest: sha256("edited") }),
  },
  "content that cannot have been sealed": {
    kind: "edited_content",
    apply: (rows, at) => rows.with(at, { ...(rows[at] as LeafRow), digest: null }),
  },
  "another hash": {
    kind: "edited_hash",
    apply: (rows, at) => rows.with(at, { ...(rows[at] as LeafRow), stored: sha256("x") }),
  },
  "a hash of another length": {
    kind: "edited_hash",
    apply: (rows, at) => rows.with(at, { ...(rows[at] as LeafRow), stored: Buffer.alloc(7) }),
  },
  "a row removed": { kind: "deleted_row", apply: (rows, at) => rows.toSpliced(at, 1) },
  "rows removed": { kind: "deleted_row", apply: (rows, at) => rows.toSpliced(at, 5) },
  "rows removed, later ones renumbered": {
    kind: "deleted_row",
    apply: (rows, at) => renumbered(rows.toSpliced(at, 3)),
  },
  "a row inserted, later ones renumbered": {
    kind: "inserted_row",
    apply: (rows, at) => renumbered(rows.toSpliced(at, 0, forged(at))),
  },
  "rows inserted, later ones renumbered": {
    kind: "inserted_row",
    apply: (rows, at) => renumbered(rows.toSpliced(at, 0, forged(at), forged(at + 1))),
  },
  "a well-formed row inserted": {
    kind: "inserted_row",
    apply: (rows, at) => {
      const before = rows[at - 1]?.stored ?? genesisHash(origin);
      const digest = sha256("forged");
      const stored = leafHash(origin, at, recordedAt, digest, before);
      return renumbered(rows.toSpliced(at, 0, { seq: at, recordedAt, digest, stored }));
    },
  },
  "a second row with the same number": {
    kind: "inserted_row",
    apply: (rows, at) => rows.toSpliced(at, 0, forged(at)),
  },
  "two rows exchanged": {
    kind: "reordered",
    apply: (rows, at) =>
      renumbered(rows.with(at, rows[at + 1] as LeafRow).with(at + 1, rows[at] as LeafRow)),
  },
  "distant rows exchanged": {
    kind: "reordered",
    apply: (rows, at) =>
      renumbered(rows.with(at, rows[at + 4] as LeafRow).with(at + 4, rows[at] as LeafRow)),
  },
};

describe("classifying a break", () => {
  const sound = chain(60);
  const head = (sound.at(-1) as LeafRow).stored;

  test("a sound chain has no break", () => {
    expect(walk(sound, [], head)).toEqual([]);
  });

  test.each(Object.entries(damages))("%s is one finding, at its place", (_, { kind, apply }) => {
    for (let at = 0; at <= 52; at += 1) {
      for (const tiles of [[], sound.map(({ stored }) => stored)]) {
        expect(walk(apply(sound, at), tiles, head)).toMatchObject([{ kind, seq: at }]);
      }
    }
  });

  test("two damages apart are two findings", () => {
    const names = fc.constantFrom(...Object.keys(damages));
    fc.assert(
      fc.property(names, names, fc.integer({ min: 0, max: 12 }), (first, second, at) => {
        const [one, two] = [damages[first], damages[second]];
        if (!one || !two) return;
        // The later one first, so that places stay what they are.
        const findings = walk(one.apply(two.apply(sound, at + 35), at), [], head);
        expect(findings).toHaveLength(2);
        expect(findings[0]).toMatchObject({ kind: one.kind, seq: at });
        expect(findings[1]?.kind).toBe(two.kind);
      }),
      { seed, numRuns: 1000 },
    );
  }, 60_000);
});
