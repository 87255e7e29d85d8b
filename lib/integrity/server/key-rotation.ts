import { systemScope } from "@/lib/auth/server/system-scope";
import { encodeBase64 } from "@/lib/chain/base64";
import { sha256Hex } from "@/lib/chain/sha256";
import { inTransaction, longPool } from "@/lib/db/pool";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { cutCheckpoint } from "./signer";
import { adoptNextKey, announcedKeys, prepareNextKey, signingKeyRecords } from "./signing-keys";

export interface Rotation {
  /** Raw, base64. */
  publicKey: string;
  previousPublicKey: string;
  /** Until then both keys sign. */
  until: string;
  /** Logs that it was announced in. */
  logs: number;
}

/**
 * Changes the key that checkpoints are signed with. Every log first gets the event that announces it, and a
 * checkpoint over that by the key before, where that is still there; only then does the new one sign, both of them until `until`. Run again after a kill, it goes
 * on where it was.
 */
export async function rotateSigningKey(until: Date): Promise<Rotation> {
  const previous = signingKeyRecords().at(-1)?.public_key as string;
  const keys = announcedKeys();
  const next = prepareNextKey();
  const rotation = {
    publicKey: encodeBase64(next.publicKey),
    previousPublicKey: encodeBase64(Buffer.from(previous, "hex")),
    until: until.toISOString(),
  };
  const { rows } = await longPool().query<{ organization_id: string }>(
    `SELECT h.organization_id FROM log_heads h JOIN organizations o ON o.id = h.organization_id
     WHERE o.deleted_at IS NULL ORDER BY 1`,
  );
  for (const { organization_id: organizationId } of rows) {
    await inTransaction(longPool(), (client) =>
      appendControlEvent(client, systemScope("cli", organizationId), {
        action: "trailseal.key_rotated",
        metadata: {
          public_key: rotation.publicKey,
          previous_public_key: rotation.previousPublicKey,
          overlap_until: rotation.until,
        },
        key: sha256Hex(`trailseal.key_rotated\n${organizationId}\n${rotation.publicKey}`),
      }),
    );
    if (keys.length > 0) await cutCheckpoint(organizationId, { keys });
  }
  adoptNextKey(next, until);
  return { ...rotation, logs: rows.length };
}
