import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { AppError } from "@/lib/errors";
import { exists, type FinishedBackup, syncDirectory, writeDurably } from "./files";

/**
 * The secrets of an instance, sealed with a passphrase, apart from the backup that they belong to. Within is the
 * hash of that backup's manifest: whoever can write where backups lie cannot pass another for this one.
 */

const KDF = { N: 2 ** 17, r: 8, p: 1 };
const KDF_MEMORY_BYTES = 256 * KDF.N * KDF.r;
const KEY_BYTES = 32;
const LEAST_LENGTH = 12;

const fileSchema = z.object({
  format: z.literal("trailseal-keys/1"),
  kdf: z.literal(`scrypt N=${KDF.N} r=${KDF.r} p=${KDF.p}`),
  cipher: z.literal("aes-256-gcm"),
  salt: z.base64(),
  iv: z.base64(),
  tag: z.base64(),
  sealed: z.base64(),
});

/** What an editor or a file system leaves beside them is no secret. */
const SECRET_NAME = /^[a-z0-9][a-z0-9.-]*$/;

const keysSchema = z.object({
  backup: z.string(),
  manifest_sha256: z.hex().length(64),
  /** Files under `secrets`, by name. */
  secrets: z.record(z.string().regex(SECRET_NAME), z.string()),
});

export type Keys = z.infer<typeof keysSchema>;

/** @throws AppError for one that would be guessed */
export function checkPassphrase(passphrase: string): string {
  if (passphrase.length < LEAST_LENGTH)
    throw new AppError("invalid_request", `A passphrase has at least ${LEAST_LENGTH} characters.`);
  return passphrase;
}

const derive = promisify(scrypt) as (
  passphrase: string,
  salt: Buffer,
  length: number,
  options: object,
) => Promise<Buffer>;

const keyOf = (passphrase: string, salt: Buffer) =>
  derive(passphrase.normalize("NFC"), salt, KEY_BYTES, { ...KDF, maxmem: KDF_MEMORY_BYTES });

/** The secrets as they are now. */
export async function readSecrets(dataDir: string): Promise<Record<string, string>> {
  const directory = path.join(dataDir, "secrets");
  const found = (await exists(directory))
    ? await fs.readdir(directory, { withFileTypes: true })
    : [];
  const names = found
    .filter((entry) => entry.isFile() && SECRET_NAME.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => !name.endsWith(".new"))
    .sort();
  const contents = names.map((name) => fs.readFile(path.join(directory, name), "utf8"));
  return Object.fromEntries((await Promise.all(contents)).map((text, at) => [names[at], text]));
}

/** Later secrets beside earlier ones: what an earlier key of streams' credentials sealed still opens. */
export function mergeSecrets(
  earlier: Record<string, string>,
  later: Record<string, string>,
): Record<string, string> {
  const isRotated =
    earlier.envelope !== undefined &&
    later.envelope !== undefined &&
    earlier.envelope !== later.envelope;
  return {
    ...earlier,
    ...later,
    ...(isRotated ? { "envelope.previous": earlier.envelope as string } : {}),
  };
}

/** Puts secrets into a data directory that has none. */
export async function placeSecrets(
  dataDir: string,
  secrets: Record<string, string>,
): Promise<void> {
  for (const [name, text] of Object.entries(secrets))
    await writeDurably(
      path.join(dataDir, "secrets", name),
      text,
      name.startsWith("signing") ? 0o400 : 0o600,
    );
}

/** @returns the file, `<directory>/<backup>.keys` */
export async function sealKeys(
  directory: string,
  { manifest: { name }, manifestSha256 }: FinishedBackup,
  secrets: Record<string, string>,
  passphrase: string,
): Promise<string> {
  const keys = keysSchema.parse({ backup: name, manifest_sha256: manifestSha256, secrets });
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", await keyOf(passphrase, salt), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(keys)), cipher.final()]);
  const file = path.join(directory, `${name}.keys`);
  const content: z.infer<typeof fileSchema> = {
    format: "trailseal-keys/1",
    kdf: fileSchema.shape.kdf.value,
    cipher: "aes-256-gcm",
    salt: salt.toString("base64"),
    iv: iv.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
    sealed: sealed.toString("base64"),
  };
  await writeDurably(`${file}.part`, `${JSON.stringify(content)}\n`);
  await fs.rename(`${file}.part`, file);
  await syncDirectory(directory);
  return file;
}

/** @throws AppError invalid_request: no such file, another passphrase, or a file that was changed */
export async function openKeys(file: string, passphrase: string): Promise<Keys> {
  const text = await fs.readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new AppError("invalid_request", `${file} cannot be read: ${error.code}.`);
  });
  let content: z.infer<typeof fileSchema>;
  try {
    content = fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError("invalid_request", `${file} is no file of keys.`, { cause });
  }
  const [salt, iv, tag, sealed] = (["salt", "iv", "tag", "sealed"] as const).map((name) =>
    Buffer.from(content[name], "base64"),
  ) as [Buffer, Buffer, Buffer, Buffer];
  try {
    const decipher = createDecipheriv("aes-256-gcm", await keyOf(passphrase, salt), iv, {
      authTagLength: 16,
    });
    decipher.setAuthTag(tag);
    const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
    return keysSchema.parse(JSON.parse(opened.toString("utf8")));
  } catch (cause) {
    throw new AppError(
      "invalid_request",
      `${file} does not open: it has another passphrase, or it was changed.`,
      { cause },
    );
  }
}
