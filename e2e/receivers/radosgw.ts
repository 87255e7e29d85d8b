import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { request } from "undici";
import type { HttpRequest } from "@/lib/streams/destination";
import { type AccessKeys, signAws } from "@/lib/streams/signed-request";
import { freePort, until } from "./ports";

/** Owns the buckets. */
export const OWNER = { accessKeyId: "OWNER00000000000", secretAccessKey: "owner-secret" };
/** May do nothing but assume the role `audit`. */
export const BASE = { accessKeyId: "BASE000000000000", secretAccessKey: "base-secret" };
export const ROLE_ARN = "arn:aws:iam:::role/audit";

export interface Radosgw {
  url: string;
  /** One signed request; the body as text. */
  ask(
    method: HttpRequest["method"],
    path: string,
    keys?: AccessKeys,
    body?: string,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: string; bytes: Buffer; headers: Record<string, unknown> }>;
  /** Ends the gateway by SIGKILL. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

function configuration(directory: string, fsid: string, monitor: number, gateway: number): string {
  return `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monitor}]
mon initial members = a
public network = 127.0.0.0/8
keyring = ${directory}/keyring
mon data = ${directory}/mon
osd data = ${directory}/osd
run dir = ${directory}
pid file =
admin socket = ${directory}/$name.asok
log file = ${directory}/$name.log
osd objectstore = memstore
memstore device bytes = 268435456
osd pool default size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 1
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway}
rgw s3 auth use sts = true
rgw sts key = ${randomUUID().slice(0, 16)}
`;
}

/**
 * The object gateway of Ceph with a cluster of its own: one monitor, one OSD in memory. The bucket `audit`,
 * `locked` with object lock, `other`; a role that may only put into `audit`.
 */
export async function startRadosgw(): Promise<Radosgw> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-ceph-"));
  for (const name of ["mon", "osd"]) fs.mkdirSync(path.join(directory, name));
  const [monitor, gateway] = [await freePort(), await freePort()];
  const fsid = randomUUID();
  const conf = path.join(directory, "ceph.conf");
  fs.writeFileSync(conf, configuration(directory, fsid, monitor, gateway));
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, {
      env: { ...process.env, CEPH_CONF: conf },
      encoding: "utf8",
      timeout: 120_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  const children: ChildProcess[] = [];
  const serve = (command: string, ...args: string[]): ChildProcess => {
    const out = fs.openSync(path.join(directory, `${command}.out`), "a");
    const child = spawn(command, ["-c", conf, ...args, "-f"], { stdio: ["ignore", out, out] });
    fs.closeSync(out);
    children.push(child);
    return child;
  };
  const end = async (child: ChildProcess, signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await new Promise((resolve) => child.once("exit", resolve));
  };
  const close = async () => {
    for (const child of children.reverse()) await end(child, "SIGKILL");
    fs.rmSync(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${gateway}`;
  let server: ChildProcess | undefined;
  const radosgw: Radosgw = {
    url,
    async ask(method, where, keys = OWNER, body, headers = {}) {
      const plain = { method, url: `${url}/${where}`, headers, ...(body ? { body } : {}) };
      const signed = signAws(plain, "s3", "default", keys);
      const reply = await request(signed.url, { ...signed, body: signed.body ?? null });
      const bytes = Buffer.from(await reply.body.arrayBuffer());
      return { status: reply.statusCode, headers: reply.headers, bytes, body: bytes.toString() };
    },
    async kill() {
      if (server) await end(server, "SIGKILL");
    },
    async start() {
      server = serve("radosgw", "-n", "client.rgw");
      await until("the gateway", () =>
        request(url).then(
          ({ body }) => body.dump().then(() => true),
          () => false,
        ),
      );
    },
    close,
  };
  try {
    const keyring = path.join(directory, "keyring");
    const key = (name: string, ...caps: string[]) =>
      run(
        "ceph-authtool",
        keyring,
        ...(name === "mon." ? ["--create-keyring"] : []),
        ...["--gen-key", "-n", name, ...caps.flatMap((cap) => ["--cap", ...cap.split("=")])],
      );
    key("mon.", "mon=allow *");
    key("client.admin", "mon=allow *", "osd=allow *", "mgr=allow *");
    key("osd.0", "mon=allow profile osd", "osd=allow *");
    key("client.rgw", "mon=allow rwx", "osd=allow rwx");
    const map = path.join(directory, "monmap");
    run("monmaptool", "--create", "--addv", "a", `[v2:127.0.0.1:${monitor}]`, "--fsid", fsid, map);
    run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring);
    serve("ceph-mon", "-i", "a");
    const osd = randomUUID();
    run("ceph", "osd", "new", osd, "0");
    run("ceph", "auth", "import", "-i", keyring);
    run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd);
    serve("ceph-osd", "-i", "0");
    await until("the OSD", () => run("ceph", "osd", "stat").includes("1 up"));
    await radosgw.start();
    for (const [uid, keys] of Object.entries({ owner: OWNER, base: BASE }))
      run(
        "radosgw-admin",
        ...["user", "create", `--uid=${uid}`, `--display-name=${uid}`],
        ...[`--access-key=${keys.accessKeyId}`, `--secret-key=${keys.secretAccessKey}`],
      );
    const policy = (statement: object) =>
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
    const trust = { Principal: { AWS: ["arn:aws:iam:::user/base"] }, Action: ["sts:AssumeRole"] };
    const put = { Action: ["s3:PutObject"], Resource: "arn:aws:s3:::audit/*" };
    const role = "--role-name=audit";
    run("radosgw-admin", "role", "create", role, `--assume-role-policy-doc=${policy(trust)}`);
    run(
      "radosgw-admin",
      ...["role-policy", "put", role, "--policy-name=put", `--policy-doc=${policy(put)}`],
    );
    for (const bucket of ["audit", "other"]) await radosgw.ask("PUT", bucket);
    const lock = { "x-amz-bucket-object-lock-enabled": "true" };
    await radosgw.ask("PUT", "locked", OWNER, undefined, lock);
  } catch (error) {
    await close();
    throw error;
  }
  return radosgw;
}
