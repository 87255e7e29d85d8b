import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ArchiveManifest, Contents } from "../schema";
import { addText, findDamage, listBackups, readBackup, writeBackup } from "./files";
import { mergeSecrets, openKeys, placeSecrets, readSecrets, sealKeys } from "./keys-file";

let place: string;

beforeEach(() => {
  place = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-backups-"));
});

afterEach(() => fs.rmSync(place, { recursive: true, force: true }));

const contents: Contents<ArchiveManifest> = {
  kind: "archive",
  covers_until: "2026-01-02T03:04:05.678Z",
  postgres: 180_000,
  migration: "0001_init",
  events: 0,
  tables: [],
  sequences: [],
};

const make = () =>
  writeBackup(place, async (part) => {
    await addText(part, "tables/a.copy.gz", "rows");
    await addText(part, "signer/org_A.json", "{}");
    return contents;
  });

describe("a backup", () => {
  test("that fails leaves nothing behind", async () => {
    const failing = writeBackup(place, async (part) => {
      await addText(part, "tables/a.copy.gz", "rows");
      throw new Error("the disk is full");
    });
    await expect(failing).rejects.toThrow("the disk is full");
    expect(fs.readdirSync(place)).toEqual([]);
  });

  test("has its name only when it is whole; until then it passes for none", async () => {
    await writeBackup(place, async (part) => {
      await expect(readBackup(part.directory)).rejects.toThrow("never finished");
      expect(await listBackups(place)).toEqual([{ name: `${part.name}.part`, manifest: null }]);
      return contents;
    });
    expect((await listBackups(place))[0]?.manifest).toMatchObject({ migration: "0001_init" });
  });

  test("names each file that was changed, cut, or is missing, whatever bit it is", async () => {
    const { directory, manifest } = await make();
    const names = [...manifest.files.map((file) => file.path), "manifest.json", "manifest.sha256"];
    for (const name of names) {
      const file = path.join(directory, name);
      const whole = fs.readFileSync(file);
      const damaged = [
        ...[0, whole.length >> 1, whole.length - 1].map((at) => {
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] as number) ^ 1;
          return bytes;
        }),
        whole.subarray(1),
      ];
      for (const bytes of damaged) {
        fs.writeFileSync(file, bytes);
        const told = await readBackup(directory).then(findDamage, (error) => [error.message]);
        expect(told).toHaveLength(1);
        expect(told[0]).toContain(name.startsWith("manifest") ? "manifest.json" : `${name}: `);
      }
      fs.writeFileSync(file, whole);
    }
    fs.rmSync(path.join(directory, "tables/a.copy.gz"));
    expect(await findDamage(await readBackup(directory))).toEqual([
      expect.stringContaining("tables/a.copy.gz: it cannot be read"),
    ]);
  });

  test.each(["../outside", "/etc/outside", "pg/../../outside", "a\\..\\b", ""])(
    "whose manifest names a file elsewhere, %j, is refused",
    async (name) => {
      const write = writeBackup(place, async (part) => {
        part.files.push({ path: name, bytes: 0, sha256: "0".repeat(64) });
        return contents;
      });
      await expect(write).rejects.toThrow();
    },
  );
});

describe("the keys' file", () => {
  const passphrase = "correct horse battery";
  const secrets = { session: "ab".repeat(32), signing: "cd".repeat(32) };

  test("gives the secrets back to who has the passphrase, with the modes that they had", async () => {
    const backup = await make();
    await placeSecrets(place, secrets);
    const file = await sealKeys(place, backup, await readSecrets(place), passphrase);
    expect(fs.readFileSync(file, "utf8")).not.toContain(secrets.signing.slice(0, 16));
    expect(await openKeys(file, passphrase)).toEqual({
      backup: backup.manifest.name,
      manifest_sha256: backup.manifestSha256,
      secrets,
    });
    expect(fs.statSync(path.join(place, "secrets/signing")).mode & 0o777).toBe(0o400);
    expect(fs.statSync(path.join(place, "secrets/session")).mode & 0o777).toBe(0o600);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  test("holds no file that is no secret, and opens whatever else lies beside them", async () => {
    const backup = await make();
    await placeSecrets(place, secrets);
    for (const stray of [".signing.swp", "signing~", "signing_old", "session.new"])
      fs.writeFileSync(path.join(place, "secrets", stray), "x");
    fs.mkdirSync(path.join(place, "secrets", "old"));
    const file = await sealKeys(place, backup, await readSecrets(place), passphrase);
    expect((await openKeys(file, passphrase)).secrets).toEqual(secrets);
  });

  test("keeps the key that rows were sealed with when it was rotated since", () => {
    expect(mergeSecrets({ envelope: "a", session: "s" }, { envelope: "b" })).toEqual({
      envelope: "b",
      "envelope.previous": "a",
      session: "s",
    });
    expect(mergeSecrets({ envelope: "a" }, { envelope: "a" })).toEqual({ envelope: "a" });
  });

  test("does not open with another passphrase, or after a change", async () => {
    const file = await sealKeys(place, await make(), secrets, passphrase);
    await expect(openKeys(file, `${passphrase}.`)).rejects.toThrow("another passphrase");
    const content = JSON.parse(fs.readFileSync(file, "utf8")) as Record<string, string>;
    for (const name of ["salt", "iv", "tag", "sealed"]) {
      const bytes = Buffer.from(content[name] as string, "base64");
      bytes[0] = (bytes[0] as number) ^ 1;
      fs.writeFileSync(file, JSON.stringify({ ...content, [name]: bytes.toString("base64") }));
      await expect(openKeys(file, passphrase)).rejects.toThrow("it was changed");
    }
    // A shorter tag is easier to guess.
    const tag = Buffer.from(content.tag as string, "base64")
      .subarray(0, 4)
      .toString("base64");
    fs.writeFileSync(file, JSON.stringify({ ...content, tag }));
    await expect(openKeys(file, passphrase)).rejects.toThrow("it was changed");
    // Six derivations of a key, each slow on purpose.
  }, 30_000);
});
