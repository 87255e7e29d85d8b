import { describe, expect, test } from "vitest";
import { canonicalize } from "./canonical";
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from "./checkpoint";
import {
  commitment,
  commitments,
  eventDigest,
  genesisHash,
  leafHash,
  leafText,
  type SealedContent,
  skeleton,
} from "./event-hash";
import { consistencyProof, Frontier, inclusionProof, merkleRoot } from "./merkle";
import { formatVkey, noteSigner, parseVkey, signNote } from "./note";
import { sha256, sha256Hex } from "./sha256";
import { normalizeTimestamp } from "./time";
import { formatTlogProof, parseTlogProof, verifyTlogProof } from "./tlog-proof";
import file from "./vectors.json";

const { origin } = file;
const seed = Buffer.from(file.key_seed_hex, "hex");
const hex = (text: string) => Buffer.from(text, "hex");
const hexOf = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString("hex"));

const values = (expected: unknown): string[] =>
  typeof expected === "string" ? [expected] : Object.values(expected as object).flatMap(values);

// Every expected value of the file is compared once, and counted, so that none is passed over.
let compared = 0;
function same(actual: unknown, expected: unknown): void {
  compared += values(expected).length;
  expect(actual).toEqual(expected);
}

// biome-ignore lint/suspicious/noExplicitAny: each vector has a shape of its own
function vector(name: string): any {
  return file.vectors.find((candidate) => candidate.name === name);
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function sealed(event: any): SealedContent {
  return {
    id: event.id,
    organization_id: event.organization_id,
    action: event.action,
    version: event.version,
    occurred_at: normalizeTimestamp(event.occurred_at),
    actor: event.actor ?? null,
    targets: event.targets,
    context: event.context ?? null,
    metadata: event.metadata ?? null,
  };
}

function chainedLeaves(count: number): Buffer[] {
  const leaves: Buffer[] = [];
  let previous = genesisHash(origin);
  for (let seq = 0; seq < count; seq += 1) {
    previous = leafHash(origin, seq, "2026-01-02T00:00:00.000Z", sha256(`d${seq}`), previous);
    leaves.push(previous);
  }
  return leaves;
}

describe("auditlog/v1 vectors", () => {
  const leaves = chainedLeaves(1000);

  test("01 canonical JSON", () => {
    const { input, expected } = vector("01-jcs");
    const text = canonicalize(JSON.parse(input.json));
    const text2 = canonicalize(JSON.parse(input.json2));
    same(text, expected.jcs);
    same(text2, expected.jcs2);
    same(sha256Hex(text), expected.sha256);
    same(sha256Hex(text2), expected.sha256_2);
  });

  test("02 timestamps", () => {
    const { input, expected } = vector("02-timestamps");
    same(input.in.map(normalizeTimestamp), expected.out);
  });

  test("03 commitment and genesis", () => {
    const { input, expected } = vector("03-commitment-and-genesis");
    same(commitment(input.unit, hex(input.salt), input.value), expected.commitment);
    same(genesisHash(input.origin).toString("hex"), expected.genesis);
  });

  test.each([0, 1, 2])("04 chained event %i", (at) => {
    const { input, expected } = vector("04-three-chained-events").steps[at];
    const content = sealed(input.event);
    const salts = hex(input.salts);
    const units = commitments(content, salts);
    same(units, expected.commitments);
    same(skeleton(content, units), expected.skeleton);
    const digest = eventDigest(content, salts);
    same(digest.toString("hex"), expected.event_digest);
    const leaf = [origin, input.seq, input.recorded_at, digest, hex(input.prev)] as const;
    same(leafText(...leaf), expected.leaf_utf8);
    same(leafHash(...leaf).toString("hex"), expected.chain_hash);
  });

  test("05 erased actor", () => {
    const { input, expected } = vector("05-erased-actor");
    const digest = eventDigest(sealed(input.event), hex(input.salts), input.erased);
    same(digest.toString("hex"), expected.event_digest);
    same(vector("04-three-chained-events").steps[0].expected.event_digest, expected.event_digest);
  });

  test("06 Merkle roots", () => {
    const { expected } = vector("06-merkle-roots");
    for (const [seq, hash] of Object.entries(expected.chain_hash_at)) {
      same(leaves[Number(seq)]?.toString("hex"), hash);
    }
    for (const [size, root] of Object.entries(expected.root)) {
      same(merkleRoot(leaves.slice(0, Number(size))).toString("hex"), root);
    }
  });

  test("07 inclusion", () => {
    const { input, expected } = vector("07-inclusion");
    same(hexOf(inclusionProof(leaves.slice(0, input.size), input.index)), expected.proof);
  });

  test("08 consistency", () => {
    const { input, expected } = vector("08-consistency");
    same(hexOf(consistencyProof(leaves.slice(0, input.new), input.old)), expected.proof);
  });

  test("09 checkpoint, note and proof file", () => {
    const { input, expected } = vector("09-checkpoint");
    const signer = noteSigner(origin, seed);
    same(formatVkey(signer), expected.vkey);
    const checkpoint = { origin, size: input.size, root: hex(input.root) };
    const note = signNote(formatCheckpoint(checkpoint), [signer]);
    same(note, expected.note);
    const proof = { index: 517, hashes: inclusionProof(leaves, 517), note };
    same(formatTlogProof(proof), expected.tlog_proof_517);

    const key = parseVkey(expected.vkey);
    expect(openCheckpoint(expected.note, origin, [key])).toEqual(checkpoint);
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    const parsed = parseTlogProof(expected.tlog_proof_517);
    expect(verifyTlogProof(parsed, leaves[517] as Buffer, origin, [key])).toBe(true);
    expect(verifyTlogProof(parsed, leaves[518] as Buffer, origin, [key])).toBe(false);
  });

  test("10 pruned prefix", () => {
    const { input, expected } = vector("10-pruned-prefix");
    const whole = new Frontier();
    for (const leaf of leaves.slice(0, input.prune_size)) whole.append(leaf);
    same(leaves[input.prune_size - 1]?.toString("hex"), expected.chain_hash);
    same(hexOf(whole.hashes), expected.frontier);
    same(whole.root().toString("hex"), expected.root_at_600);
    const restored = Frontier.restore(input.prune_size, expected.frontier.map(hex));
    for (const leaf of leaves.slice(input.prune_size)) restored.append(leaf);
    same(restored.root().toString("hex"), expected.root_at_1000_from_frontier);
  });

  test("every value of the file was compared", () => {
    const expected = file.vectors.flatMap((entry): unknown[] =>
      "steps" in entry && entry.steps ? entry.steps.map((step) => step.expected) : [entry.expected],
    );
    expect(compared).toBe(values(expected).length);
  });
});
