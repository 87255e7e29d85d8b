import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Identity } from "../fixtures/certificates";

/** One port of the server; without an identity it is plain TCP. */
export interface RsyslogInput {
  identity?: Identity;
  /** PEM of the authority that client certificates have to be from. */
  clientCa?: string;
}

/** What rsyslog made of a message, and the message as it came. */
export interface RsyslogLine {
  input: string;
  facility: number;
  severity: number;
  timestamp: string;
  host: string;
  app: string;
  messageId: string;
  data: string;
  message: string;
  raw: string;
}

export interface Rsyslog {
  /** By the input's name. */
  ports: Record<string, number>;
  lines(): RsyslogLine[];
  /** Ends it as it stands, and waits for its end. */
  kill(): Promise<void>;
  /** Stops it from running, without ending it. */
  freeze(): void;
  start(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port: number, log: string): Promise<void> {
  const end = Date.now() + 20_000;
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.end());
    });
    if (isOpen) return;
    if (Date.now() > end)
      throw new Error(`no rsyslogd on ${port}: ${fs.readFileSync(log, "utf8")}`);
    await sleep(50);
  }
}

const PROPERTIES = {
  input: "inputname",
  timestamp: "timereported",
  host: "hostname",
  app: "app-name",
  messageId: "msgid",
  data: "structured-data",
  message: "msg",
  raw: "rawmsg",
};

/** What is read is written before more is read, so that a kill takes away as little as it can. */
function configuration(
  directory: string,
  inputs: Record<string, RsyslogInput>,
  ports: Record<string, number>,
): string {
  const file = (name: string, content: string) => {
    fs.writeFileSync(path.join(directory, name), content, { mode: 0o600 });
    return path.join(directory, name);
  };
  const properties = Object.entries(PROPERTIES).map(([name, property]) => {
    const date = name === "timestamp" ? ' dateFormat="rfc3339"' : "";
    return `property(outname="${name}" name="${property}" format="jsonf"${date}) constant(value=",")`;
  });
  const listeners = Object.entries(inputs).map(([name, { identity, clientCa }]) => {
    const tls = identity
      ? `streamDriver.name="ossl" streamDriver.mode="1"
         streamDriver.authMode="${clientCa ? "x509/certvalid" : "anon"}"
         streamDriver.certFile="${file(`${name}.pem`, identity.cert)}"
         streamDriver.keyFile="${file(`${name}.key`, identity.key)}"
         streamDriver.caFile="${file(`${name}.ca`, clientCa ?? identity.cert)}"`
      : "";
    return `input(type="imtcp" name="${name}" address="127.0.0.1" port="${ports[name]}" ${tls})`;
  });
  return `
global(workDirectory="${directory}" maxMessageSize="128k" parser.escapeControlCharactersOnReceive="off")
main_queue(queue.type="Direct")
module(load="imtcp")
${listeners.join("\n")}
template(name="ndjson" type="list") {
  constant(value="{")
  ${properties.join("\n  ")}
  property(outname="facility" name="syslogfacility" format="jsonf" datatype="number") constant(value=",")
  property(outname="severity" name="syslogseverity" format="jsonf" datatype="number")
  constant(value="}\\n")
}
action(type="omfile" file="${path.join(directory, "received.ndjson")}" template="ndjson")
`;
}

/** rsyslogd in the foreground, on the loopback, with one port for each input. */
export async function startRsyslog(
  directory: string,
  inputs: Record<string, RsyslogInput>,
): Promise<Rsyslog> {
  const ports: Record<string, number> = {};
  for (const name of Object.keys(inputs)) ports[name] = await freePort();
  const config = path.join(directory, "rsyslog.conf");
  fs.writeFileSync(config, configuration(directory, inputs, ports));
  const received = path.join(directory, "received.ndjson");
  let child: ChildProcess;

  const text = () => {
    const all = fs.existsSync(received) ? fs.readFileSync(received, "utf8") : "";
    return all.slice(0, all.lastIndexOf("\n") + 1);
  };
  const log = path.join(directory, "rsyslogd.log");
  async function start(): Promise<void> {
    // What a kill cut off in the middle of a line was not stored.
    fs.writeFileSync(received, text());
    const output = fs.openSync(log, "a");
    const args = ["-n", "-f", config, "-i", path.join(directory, "rsyslogd.pid")];
    child = spawn("rsyslogd", args, { stdio: ["ignore", output, output] });
    fs.closeSync(output);
    for (const port of Object.values(ports)) await untilListening(port, log);
  }
  await start();
  return {
    ports,
    start,
    lines: () =>
      text()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as RsyslogLine),
    freeze: () => child.kill("SIGSTOP"),
    async kill() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await ended;
      }
    },
  };
}
