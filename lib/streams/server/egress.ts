import dns from "node:dns";
import type { LookupFunction, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import ipaddr from "ipaddr.js";
import { Agent, buildConnector, request } from "undici";
import { getEnv, publicUrl } from "@/lib/env";
import { inRanges, parseRanges } from "@/lib/http/client-address";
import { problem } from "../problems";
import type { Problem, TestStep } from "../schema";

/** Ports reachable on public addresses; others need TRAILSEAL_EGRESS_ALLOW to name the address. */
const PUBLIC_PORTS = new Set([443, 8443, 8088, 9443]);
/** All global unicast IPv6 so far; ipaddr.js calls the deprecated ::/96 (IPv4-compatible) unicast too. */
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_REPLY_BYTES = 65_536;
const USER_AGENT = "Trailseal";

export interface EgressPolicy {
  /** Operator's addresses and CIDR ranges: private, loopback, plain http and any port are fine there. */
  allow: ReturnType<typeof parseRanges>;
  /** host:port of this server, which streams may not reach. */
  ownHosts: ReadonlySet<string>;
}

/** Why an address may not be reached. Raised before anything is sent. */
export class EgressError extends Error {
  readonly problem: Problem;

  constructor(refusal: Problem) {
    super(refusal.message);
    this.name = "EgressError";
    this.problem = refusal;
  }
}

export function egressPolicy(): EgressPolicy {
  return {
    allow: parseRanges(getEnv().TRAILSEAL_EGRESS_ALLOW, "TRAILSEAL_EGRESS_ALLOW"),
    ownHosts: new Set([new URL(publicUrl()).host]),
  };
}

function refuse(code: string, message: string, advice: string): never {
  throw new EgressError(problem(`egress_${code}`, message, advice));
}

const OPERATOR = "An operator can allow its address with TRAILSEAL_EGRESS_ALLOW.";

/** Whether a connection to this address needs the operator's word for more than being private. */
export interface Demands {
  plainHttp: boolean;
  unusualPort: number | null;
}

function demandsOf(url: URL): Demands {
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  return {
    plainHttp: url.protocol === "http:",
    unusualPort: url.protocol === "https:" && !PUBLIC_PORTS.has(port) ? port : null,
  };
}

/** @throws EgressError unless `address`, an IP in any notation, may be dialled. */
function checkAddress(address: string, demands: Demands, policy: EgressPolicy): void {
  const bare = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (!ipaddr.isValid(bare))
    refuse("address", `${address} is not an address.`, "Check the address.");
  const parsed = ipaddr.process(bare);
  if (inRanges(parsed.toString(), policy.allow)) return;
  const isGlobal = parsed.kind() === "ipv4" || parsed.match(GLOBAL_IPV6);
  if (parsed.range() !== "unicast" || !isGlobal) {
    refuse(
      "private",
      `${parsed.toString()} is not a public address.`,
      `Streams reach public addresses only. ${OPERATOR}`,
    );
  }
  if (demands.plainHttp) {
    refuse("plain_http", "The address begins with http://.", `Use https://. ${OPERATOR}`);
  }
  if (demands.unusualPort !== null) {
    refuse(
      "port",
      `Port ${demands.unusualPort} is not among ${[...PUBLIC_PORTS].join(", ")}.`,
      `Use one of these ports. ${OPERATOR}`,
    );
  }
}

/**
 * Checks everything about a URL that needs no name look-up. IP literals are decided here, since a
 * connector never looks them up; `URL` has already turned decimal, hexadecimal and octal spellings into
 * dotted ones.
 * @throws EgressError
 */
export function checkUrl(text: string, policy: EgressPolicy): URL {
  if (!URL.canParse(text)) refuse("url", "The address is not a URL.", "Enter https://HOST/PATH.");
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    refuse("scheme", `${url.protocol} is not supported.`, "Use https://.");
  }
  if (url.username !== "" || url.password !== "") {
    refuse("userinfo", "The address contains a user name or password.", "Use a custom header.");
  }
  if (policy.ownHosts.has(url.host)) {
    refuse("own_host", "The address is this Trailseal server.", "Enter the receiver's address.");
  }
  const demands = demandsOf(url);
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(literal)) {
    checkAddress(literal, demands, policy);
  } else if (policy.allow.length === 0) {
    // No name can resolve to an allowed address: say so before a look-up.
    if (demands.plainHttp) {
      refuse("plain_http", "The address begins with http://.", `Use https://. ${OPERATOR}`);
    }
    if (demands.unusualPort !== null) {
      refuse(
        "port",
        `Port ${demands.unusualPort} is not among ${[...PUBLIC_PORTS].join(", ")}.`,
        `Use one of these ports. ${OPERATOR}`,
      );
    }
  }
  return url;
}

export type Resolver = (
  hostname: string,
  options: dns.LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
) => void;

/**
 * A look-up for sockets that refuses a name as soon as one of its addresses is refused. The socket dials
 * what this returned and looks nothing up again, so a name cannot change its address in between.
 */
export function guardedLookup(
  demands: Demands,
  policy: EgressPolicy,
  resolve: Resolver = dns.lookup,
): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "", 0);
      try {
        for (const { address } of addresses) checkAddress(address, demands, policy);
      } catch (refusal) {
        return done(refusal as Error, "", 0);
      }
      if (options.all) return done(null, addresses);
      const first = addresses[0] as dns.LookupAddress;
      done(null, first.address, first.family);
    });
  };
}

export interface Trace {
  steps: TestStep[];
}

/** Times the phases of one connection into `trace`. */
function traced(connect: buildConnector.connector, trace: Trace): buildConnector.connector {
  return (options, done) => {
    let mark = performance.now();
    const step = (name: TestStep["name"], detail: string) => {
      const now = performance.now();
      trace.steps.push({ name, detail, durationMs: Math.round(now - mark), ok: true });
      mark = now;
    };
    const socket = connect(options, done) as unknown as Socket | undefined;
    socket?.once("lookup", (error: Error | null, address: string) => {
      if (!error) step("dns", `${options.hostname} to ${address}`);
    });
    socket?.once("connect", () => step("connect", `${socket.remoteAddress}:${socket.remotePort}`));
    socket?.once("secureConnect", () => {
      const secure = socket as TLSSocket;
      const until = secure.getPeerCertificate()?.valid_to;
      const expiry = until ? `, certificate valid until ${until}` : "";
      step("tls", `${secure.getProtocol() ?? "TLS"}${expiry}`);
    });
  };
}

const agents = new Map<string, Agent>();

function makeAgent(demands: Demands, policy: EgressPolicy, trace?: Trace): Agent {
  const plain = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: guardedLookup(demands, policy),
  });
  return new Agent({
    connect: trace ? traced(plain, trace) : plain,
    pipelining: 1,
    connections: 4,
    maxHeaderSize: 16_384,
    keepAliveTimeout: 10_000,
  });
}

/** Connections are kept per set of demands, so that none checked for one set serves another. */
function sharedAgent(demands: Demands, policy: EgressPolicy): Agent {
  const key = JSON.stringify([demands, policy.allow.map(([net, bits]) => `${net}/${bits}`)]);
  let agent = agents.get(key);
  if (!agent) {
    agent = makeAgent(demands, policy);
    agents.set(key, agent);
  }
  return agent;
}

export interface HttpReply {
  status: number;
  headers: Record<string, string>;
  body: string;
  latencyMs: number;
}

/**
 * One POST through the guard. Redirects are not followed; at most 64 kB of the answer are read.
 * @param deadlineMs for the whole exchange, milliseconds.
 * @throws EgressError, or the socket's, TLS's or undici's error.
 */
export async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  options: { policy?: EgressPolicy; deadlineMs: number; trace?: Trace; signal?: AbortSignal },
): Promise<HttpReply> {
  const policy = options.policy ?? egressPolicy();
  const target = checkUrl(url, policy);
  const demands = demandsOf(target);
  const dispatcher = options.trace
    ? makeAgent(demands, policy, options.trace)
    : sharedAgent(demands, policy);
  const started = performance.now();
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
  try {
    const reply = await request(target, {
      method: "POST",
      headers: { "user-agent": USER_AGENT, ...headers },
      body,
      dispatcher,
      signal,
      headersTimeout: options.deadlineMs,
      bodyTimeout: options.deadlineMs,
    });
    const text = await readCapped(reply.body);
    return {
      status: reply.statusCode,
      headers: Object.fromEntries(
        Object.entries(reply.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: text,
      latencyMs: Math.round(performance.now() - started),
    };
  } finally {
    if (options.trace) await dispatcher.destroy().catch(() => undefined);
  }
}

async function readCapped(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_REPLY_BYTES) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, MAX_REPLY_BYTES).toString("utf8");
}
