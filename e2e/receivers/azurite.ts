import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { request } from "undici";
import { freePort, until } from "./ports";

const ACCOUNT = "devstoreaccount1";
/** The one that every Azurite has, from its documentation. */
const KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const VERSION = "2021-12-02";
const PROGRAM = path.resolve(".build/azurite/node_modules/azurite/dist/src/blob/main.js");

export interface Azurite {
  /** Of the container `audit`. */
  url: string;
  /** A SAS of the container with these permissions, valid for so many seconds. */
  sas(permissions: string, seconds?: number): string;
  /** Names and contents, with a SAS of the account. */
  ask(method: "GET" | "PUT", where: string): Promise<{ status: number; bytes: Buffer }>;
  close(): Promise<void>;
}

const sign = (fields: string[]) =>
  createHmac("sha256", Buffer.from(KEY, "base64")).update(fields.join("\n")).digest("base64");
const timeIn = (seconds: number) =>
  new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, "");

/** "Create a service SAS", version 2020-12-06 and later. */
function containerSas(permissions: string, seconds = 3_600): string {
  const end = timeIn(seconds);
  const resource = `/blob/${ACCOUNT}/audit`;
  const absent = ["", "", "", "", "", "", ""];
  const sig = sign([permissions, "", end, resource, "", "", "", VERSION, "c", ...absent]);
  return new URLSearchParams({ sp: permissions, se: end, sv: VERSION, sr: "c", sig }).toString();
}

/** "Create an account SAS". */
function accountSas(): string {
  const [sp, ss, srt, se] = ["rwdlac", "b", "sco", timeIn(3_600)];
  const sig = sign([ACCOUNT, sp, ss, srt, "", se, "", "", VERSION, "", ""]);
  return new URLSearchParams({ sp, ss, srt, se, sv: VERSION, sig }).toString();
}

/** Azurite's blob service with one container. */
export async function startAzurite(): Promise<Azurite> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-azurite-"));
  const port = await freePort();
  const args = ["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", directory];
  const child = spawn(process.execPath, [PROGRAM, ...args, "--skipApiVersionCheck", "--silent"], {
    stdio: "ignore",
  });
  const account = `http://127.0.0.1:${port}/${ACCOUNT}`;
  const ask: Azurite["ask"] = async (method, where) => {
    const mark = where.includes("?") ? "&" : "?";
    const url = `${account}/${where}${mark}${accountSas()}`;
    const reply = await request(url, { method, headers: { "x-ms-version": VERSION } });
    return { status: reply.statusCode, bytes: Buffer.from(await reply.body.arrayBuffer()) };
  };
  await until("Azurite", async () => {
    if (child.exitCode !== null) throw new Error(`Azurite ended with ${child.exitCode}`);
    return ask("PUT", "audit?restype=container").then(
      ({ status }) => status === 201,
      () => false,
    );
  });
  return {
    url: `${account}/audit`,
    sas: containerSas,
    ask,
    async close() {
      child.kill();
      await new Promise((resolve) => child.once("exit", resolve));
      fs.rmSync(directory, { recursive: true, force: true });
    },
  };
}
