import { canonicalize } from "./canonical";
import { assertHash, randomBytes, sha256, sha256Hex } from "./sha256";

export const SALT_BYTES = 16;
/** Units before the targets: actor, context, metadata. */
const FIXED_UNITS = 3;

/** What an event's digest seals. A unit is null when it is absent, or erased. */
export interface SealedContent {
  id: string;
  organization_id: string;
  action: string;
  /** At least 1. */
  version: number;
  /** Normalised: `YYYY-MM-DDTHH:mm:ss.sssZ`. */
  occurred_at: string;
  actor: object | null;
  targets: (object | null)[];
  context: object | null;
  metadata: object | null;
}

/** Unit name → commitment in lower-case hex. */
export type Commitments = Record<string, string>;

/** Fresh salts, 16 bytes per unit: actor, context, metadata, targets/0…; an absent unit keeps its slot. */
export function makeSalts(targetCount: number): Buffer {
  return randomBytes(SALT_BYTES * (FIXED_UNITS + targetCount));
}

/** Names of an event's units, in the order of their salts. */
export function unitNames(targetCount: number): string[] {
  const targets = Array.from({ length: targetCount }, (_, position) => `targets/${position}`);
  return ["actor", "context", "metadata", ...targets];
}

// Grows to the largest unit seen; hashing is synchronous, so one is enough.
let scratch = Buffer.allocUnsafeSlow(4096);

/** What a commitment hashes before the salt. */
export const unitPrefix = (unit: string): string => `auditlog/v1/field\n${unit}\n`;

/** H("auditlog/v1/field" LF unit LF salt JCS(value)), in hex. `canonical` gives JCS(value). */
export function commitment(
  unit: string,
  salt: Uint8Array,
  value: object,
  canonical: (value: object) => string = canonicalize,
): string {
  const text = canonical(value);
  const longest = 32 + unit.length + SALT_BYTES + text.length * 3;
  if (scratch.length < longest) scratch = Buffer.allocUnsafeSlow(longest * 2);
  let at = scratch.write(unitPrefix(unit), "latin1");
  scratch.set(salt, at);
  at += SALT_BYTES;
  at += scratch.write(text, at);
  return sha256Hex(scratch.subarray(0, at));
}

/**
 * Commitments of every unit that is present, or erased: `erased` holds the commitment of a unit whose value
 * is gone. A value that is there speaks for itself, whatever `erased` says.
 *
 * @throws RangeError when `salts` has not 16 bytes for every unit.
 */
export function commitments(
  content: SealedContent,
  salts: Uint8Array,
  erased?: Commitments | null,
  canonical?: (value: object) => string,
): Commitments {
  if (salts.length !== SALT_BYTES * (FIXED_UNITS + content.targets.length)) {
    throw new RangeError(
      `${salts.length} bytes of salt do not fit ${content.targets.length} targets`,
    );
  }
  const out: Commitments = {};
  let slot = 0;
  const add = (unit: string, value: object | null) => {
    const salt = salts.subarray(slot, slot + SALT_BYTES);
    slot += SALT_BYTES;
    if (value !== null) out[unit] = commitment(unit, salt, value, canonical);
    else if (erased && Object.hasOwn(erased, unit)) out[unit] = erased[unit] as string;
  };
  add("actor", content.actor ?? null);
  add("context", content.context ?? null);
  add("metadata", content.metadata ?? null);
  for (let position = 0; position < content.targets.length; position += 1) {
    add(`targets/${position}`, content.targets[position] ?? null);
  }
  return out;
}

/** The JCS text that the digest covers; its keys stand in their canonical order. */
export function skeleton(content: SealedContent, units: Commitments): string {
  return skeletonOf(content, canonicalize(units));
}

/** The same, of commitments that are in JCS already. */
export function skeletonOf(
  content: Pick<SealedContent, "action" | "id" | "occurred_at" | "organization_id" | "version">,
  commitments: string,
): string {
  const { action, id, occurred_at, organization_id, version } = content;
  return `{"action":${canonicalize(action)},"commitments":${commitments},"id":${canonicalize(id)},"occurred_at":${canonicalize(occurred_at)},"organization_id":${canonicalize(organization_id)},"version":${canonicalize(version)}}`;
}

/** What an event's digest hashes. */
export const digestText = (skeleton: string): string => `auditlog/v1/event\n${skeleton}`;

/**
 * H("auditlog/v1/event" LF skeleton).
 * @param canonical JCS of a unit's value, for callers who keep those of values that come again
 * @throws RangeError, TypeError as commitments and canonicalize do.
 */
export function eventDigest(
  content: SealedContent,
  salts: Uint8Array,
  erased?: Commitments | null,
  canonical?: (value: object) => string,
): Buffer {
  const units = commitments(content, salts, erased, canonical);
  return sha256(digestText(skeleton(content, units)));
}

/** What the first event of a log has for its previous hash. */
export function genesisHash(origin: string): Buffer {
  return sha256(`auditlog/v1/genesis\n${origin}\n`);
}

/** The text of a leaf, without the RFC 6962 prefix byte. `recordedAt` is a normalised timestamp. */
export function leafText(
  origin: string,
  seq: number,
  recordedAt: string,
  digest: Buffer,
  previous: Buffer,
): string {
  return leafTextOf(origin, seq, recordedAt, digest.toString("hex"), previous.toString("hex"));
}

/** The same, of hashes in lower-case hex. */
function leafTextOf(
  origin: string,
  seq: number,
  recordedAt: string,
  digest: string,
  previous: string,
): string {
  return `auditlog/v1/leaf\n${origin}\n${seq}\n${recordedAt}\n${digest}\n${previous}\n`;
}

/** The chain hash of an event, which is its RFC 6962 leaf hash: H(0x00 || leaf). */
export function leafHash(
  origin: string,
  seq: number,
  recordedAt: string,
  digest: Buffer,
  previous: Buffer,
): Buffer {
  assertHash(digest, "the event digest");
  assertHash(previous, "the previous hash");
  return sha256(`\u0000${leafText(origin, seq, recordedAt, digest, previous)}`);
}

/** The same, of hashes in lower-case hex, and in it. */
export function leafHashHex(
  origin: string,
  seq: number,
  recordedAt: string,
  digest: string,
  previous: string,
): string {
  return sha256Hex(`\u0000${leafTextOf(origin, seq, recordedAt, digest, previous)}`);
}
