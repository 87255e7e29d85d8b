import { describe, expect, test } from "vitest";
import { openCheckpoint, parseCheckpoint } from "./checkpoint";
import { formatVkey, NoteError, noteKey, noteSigner, openNote, parseVkey, signNote } from "./note";
import { sha256 } from "./sha256";
import { parseTlogProof } from "./tlog-proof";

const signer = noteSigner("log.test/org_a", sha256("a seed"));
const other = noteSigner("log.test/org_b", sha256("another seed"));
const text = "log.test/org_a\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

describe("signed notes", () => {
  test("a note opens with a key that signed it, beside signatures of unknown keys", () => {
    const note = signNote(text, [other, signer]);
    const { seed: _, ...key } = signer;
    expect(openNote(note, [key])).toEqual({ text, signedBy: [key] });
  });

  test("a text may hold blank lines: the last one splits", () => {
    const blank = "one\n\ntwo\n";
    expect(openNote(signNote(blank, [signer]), [signer]).text).toBe(blank);
  });

  test("the same name under another key is unknown, not wrong", () => {
    const impostor = noteSigner(signer.name, sha256("attacker"));
    expect(() => openNote(signNote(text, [impostor]), [signer])).toThrow(
      "no signature by a trusted",
    );
  });

  test("a known key's wrong signature is refused even beside a good one", () => {
    const note = signNote(text, [signer]);
    const changed = note.replace("\n7\n", "\n8\n");
    expect(() => openNote(changed, [signer])).toThrow("bad signature by known key");
    const forged = signNote("x\n", [other]).split("\n\n")[1] as string;
    expect(() => openNote(note + forged, [signer, other])).toThrow("bad signature by known key");
  });

  test.each([
    ["no blank line", `${text}— a b\n`],
    ["no final line feed", signNote(text, [signer]).slice(0, -1)],
    ["a control character", signNote(text, [signer]).replace("\n7\n", "\n7\t\n")],
    ["a hyphen instead of a dash", signNote(text, [signer]).replace("— ", "- ")],
    ["sloppy base64", signNote(text, [signer]).replace(/=?\n$/, "\n\n")],
    ["nothing", ""],
  ])("a note with %s is refused", (_, note) => {
    expect(() => openNote(note, [signer])).toThrow(NoteError);
  });

  test("a vkey round-trips; a changed one is refused", () => {
    const vkey = formatVkey(signer);
    expect(formatVkey(parseVkey(vkey))).toBe(vkey);
    expect(() => parseVkey(vkey.replace("org_a", "org_b"))).toThrow("wrong key id");
    expect(() => parseVkey("a+b")).toThrow(NoteError);
    expect(() => noteKey("has space", signer.publicKey)).toThrow(NoteError);
    expect(() => noteKey("has+plus", signer.publicKey)).toThrow(NoteError);
  });
});

describe("checkpoints", () => {
  test("another log's checkpoint is refused, even with a trusted key", () => {
    const moved = signNote(text, [other]);
    expect(() => openCheckpoint(moved, other.name, [other, signer])).toThrow("another log's");
    expect(() => openCheckpoint(moved, signer.name, [other, signer])).toThrow(NoteError);
  });

  test.each([
    ["an extension line", `${text}more\n`],
    ["a leading zero", text.replace("7", "07")],
    ["a short root", "log.test/org_a\n7\nAAAA\n"],
    ["a size beyond 2^53", text.replace("7", "9007199254740993")],
    ["unpadded base64", text.replace("=", "")],
    ["no origin", text.replace("log.test/org_a", "")],
  ])("a checkpoint with %s is refused", (_, wrong) => {
    expect(() => parseCheckpoint(wrong)).toThrow(RangeError);
  });

  test.each([
    "",
    "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
    "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
  ])("%j is not a proof", (wrong) => {
    expect(() => parseTlogProof(wrong)).toThrow(RangeError);
  });
});
