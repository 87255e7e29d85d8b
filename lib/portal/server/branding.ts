import { z } from "zod";
import type { InstanceScope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { type Branding, type BrandingInput, type Picture, storedBrandingSchema } from "../branding";

const KEY = "portal_branding";
/** By itself: pages ask for the rest alone. */
const LOGO_KEY = "portal_logo";

const pictureSchema = z.object({ type: z.string(), base64: z.string() });

type Stored = z.infer<typeof storedBrandingSchema>;

async function readStored(): Promise<Stored> {
  const { rows } = await readPool().query<{ value: unknown }>(
    "SELECT value FROM settings WHERE key = $1",
    [KEY],
  );
  const [row] = rows;
  if (!row) return { name: null, colour: null, returnAddresses: [], logoHash: null };
  return storedBrandingSchema.parse(row.value);
}

const shownOf = ({ name, colour, logoHash }: Stored): Branding => ({
  name,
  colour,
  logo: logoHash && `/portal/logo?v=${logoHash}`,
});

/** What visitors of the portal see: it is no secret. */
export const readBranding = async (): Promise<Branding> => shownOf(await readStored());

/** Where links may lead back to; none: anywhere. */
export const readReturnAddresses = async (): Promise<readonly string[]> =>
  (await readStored()).returnAddresses;

export async function readLogo(): Promise<(Picture & { hash: string | null }) | null> {
  const { rows } = await readPool().query<{ value: unknown }>(
    "SELECT value FROM settings WHERE key = $1",
    [LOGO_KEY],
  );
  const { logoHash: hash } = await readStored();
  return rows[0] ? { ...pictureSchema.parse(rows[0].value), hash } : null;
}

/** For the form that changes it. */
export async function readBrandingSettings(
  _scope: InstanceScope,
): Promise<Branding & { returnAddresses: readonly string[] }> {
  const stored = await readStored();
  return { ...shownOf(stored), returnAddresses: stored.returnAddresses };
}

const hashOf = ({ base64 }: Picture) => sha256(base64).toString("hex").slice(0, 16);

const SET =
  "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value";

export async function saveBranding(
  _scope: InstanceScope,
  { logo, ...rest }: BrandingInput,
): Promise<null> {
  await inTransaction(writePool(), async (client) => {
    // Two at once: the second one's logo stays with its own hash.
    await client.query("SELECT pg_advisory_xact_lock(hashtext($1))", [KEY]);
    const known = await client.query<{ hash: string | null }>(
      "SELECT value ->> 'logoHash' AS hash FROM settings WHERE key = $1",
      [KEY],
    );
    if (logo) await client.query(SET, [LOGO_KEY, JSON.stringify(logo)]);
    if (logo === null) await client.query("DELETE FROM settings WHERE key = $1", [LOGO_KEY]);
    const logoHash =
      logo === undefined ? (known.rows[0]?.hash ?? null) : logo === null ? null : hashOf(logo);
    await client.query(SET, [KEY, JSON.stringify({ ...rest, logoHash } satisfies Stored)]);
  });
  return null;
}
