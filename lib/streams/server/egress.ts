import dns from "node:dns";
import type { LookupFunction, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import ipaddr from "ipaddr.js";
import { Agent, buildConnector, request } from "undici";
import { getEnv, publicUrl } from "@/lib/env";
import { inRanges, parseRanges } from "@/lib/http/client-address";
import type { HttpRequest, TlsOptions } from "../destination";
import { problem } from "../problems";
import type { Problem, TestStep } from "../schema";

/** Ports reachable on public addresses; others need TRAILSEAL_EGRESS_ALLOW to name the address. */
const PUBLIC_PORTS = new Set([443, 8443, 8088, 9443, 9200, 4318, 6514]);
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
  /** Scheme without encryption, `http:` or `tcp:`; null with it. */
  plain: string | null;
  unusualPort: number | null;
}

const DEFAULT_PORT: Record<string, number> = {
  "https:": 443,
  "http:": 80,
  "tls:": 6514,
  "tcp:": 514,
};
const ENCRYPTED = new Set(["https:", "tls:"]);

function portOf(url: URL): number {
  return Number(url.port || DEFAULT_PORT[url.protocol]);
}

function demandsOf(url: URL): Demands {
  const isEncrypted = ENCRYPTED.has(url.protocol);
  const port = portOf(url);
  return {
    plain: isEncrypted ? null : url.protocol,
    unusualPort: isEncrypted && !PUBLIC_PORTS.has(port) ? port : null,
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
      `Only public addresses are reached. ${OPERATOR}`,
    );
  }
  checkDemands(demands);
}

/** What only an operator's word allows. */
function checkDemands({ plain, unusualPort }: Demands): void {
  if (plain === "http:")
    refuse("plain_http", "The address begins with http://.", `Use https://. ${OPERATOR}`);
  if (plain !== null)
    refuse("plain_tcp", "TCP without TLS is readable on the way.", `Use TLS. ${OPERATOR}`);
  if (unusualPort !== null)
    refuse(
      "port",
      `Port ${unusualPort} is not among ${[...PUBLIC_PORTS].join(", ")}.`,
      `Use one of these ports. ${OPERATOR}`,
    );
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
  if (DEFAULT_PORT[url.protocol] === undefined) {
    refuse("scheme", `${url.protocol} is not supported.`, "Use https://.");
  }
  if (url.username !== "" || url.password !== "") {
    refuse("userinfo", "The address contains a user name or password.", "Use a custom header.");
  }
  // With a dot at its end a name is the same name.
  if (policy.ownHosts.has(url.host.replace(/\.(?=:|$)/, ""))) {
    refuse("own_host", "The address is this Trailseal server.", "Enter the receiver's address.");
  }
  const demands = demandsOf(url);
  // Other schemes keep a host as it is spelled; https brings it to the form that is checked.
  const { hostname } = URL.canParse(`https://${url.host}`) ? new URL(`https://${url.host}`) : url;
  const literal = hostname.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(literal)) {
    checkAddress(literal, demands, policy);
  } else if (policy.allow.length === 0) {
    // No name can resolve to an allowed address: say so before a look-up.
    checkDemands(demands);
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

/** How a connection that others make has to look its host up. @throws EgressError */
export function guardConnection(url: string): { lookup: LookupFunction } {
  const policy = egressPolicy();
  return { lookup: guardedLookup(demandsOf(checkUrl(url, policy)), policy) };
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

function makeAgent(demands: Demands, policy: EgressPolicy, tls: TlsOptions, trace?: Trace): Agent {
  const plain = buildConnector({
    ...tls,
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

/** Connections are kept per set of demands and certificates, so that none checked for one set serves another. */
function sharedAgent(demands: Demands, policy: EgressPolicy, tls: TlsOptions): Agent {
  const key = JSON.stringify([demands, policy.allow.map(([net, bits]) => `${net}/${bits}`), tls]);
  let agent = agents.get(key);
  if (!agent) {
    agent = makeAgent(demands, policy, tls);
    agents.set(key, agent);
  }
  return agent;
}

export interface HttpReply {
  status: number;
  headers: Record<string, string>;
  body: string;
  bytes: Buffer;
  latencyMs: number;
}

interface ExchangeOptions {
  policy?: EgressPolicy;
  /** For the whole exchange, milliseconds. */
  deadlineMs: number;
  trace?: Trace;
  /** Aborts the exchange, by the deadline at the latest; absent: the deadline does. */
  signal?: AbortSignal;
  /** 64 kB when absent. */
  maxReplyBytes?: number;
}

/**
 * One request through the guard. Redirects are not followed; what an answer has beyond the limit is not read.
 * @throws EgressError, or the socket's, TLS's or undici's error.
 */
export async function exchange(asked: HttpRequest, options: ExchangeOptions): Promise<HttpReply> {
  const policy = options.policy ?? egressPolicy();
  const target = checkUrl(asked.url, policy);
  const demands = demandsOf(target);
  const { tls = {} } = asked;
  const dispatcher = options.trace
    ? makeAgent(demands, policy, tls, options.trace)
    : sharedAgent(demands, policy, tls);
  const started = performance.now();
  const signal = options.signal ?? AbortSignal.timeout(options.deadlineMs);
  try {
    const reply = await request(target, {
      method: asked.method,
      headers: { "user-agent": USER_AGENT, ...asked.headers },
      body: asked.body ?? null,
      dispatcher,
      signal,
      headersTimeout: options.deadlineMs,
      bodyTimeout: options.deadlineMs,
    });
    const bytes = await readCapped(reply.body, options.maxReplyBytes ?? MAX_REPLY_BYTES);
    return {
      status: reply.statusCode,
      headers: Object.fromEntries(
        Object.entries(reply.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: bytes.toString("utf8"),
      bytes,
      latencyMs: Math.round(performance.now() - started),
    };
  } finally {
    if (options.trace) await dispatcher.destroy().catch(() => undefined);
  }
}

/** One POST through the guard, as `exchange`. */
export function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  options: ExchangeOptions,
): Promise<HttpReply> {
  return exchange({ method: "POST", url, headers, body }, options);
}

/**
 * A connected TCP socket through the guard, or a TLS one with its handshake done.
 * @throws EgressError, or the socket's or TLS's error.
 */
export function connectSocket(
  host: string,
  port: number,
  tls: TlsOptions | null,
  options: Omit<ExchangeOptions, "deadlineMs"> & { signal: AbortSignal },
): Promise<Socket> {
  const policy = options.policy ?? egressPolicy();
  const scheme = tls ? "https:" : "http:";
  const target = checkUrl(
    `${tls ? "tls" : "tcp"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    policy,
  );
  const plain = buildConnector({
    ...tls,
    timeout: CONNECT_TIMEOUT_MS,
    lookup: guardedLookup(demandsOf(target), policy),
  });
  const connect = options.trace ? traced(plain, options.trace) : plain;
  return new Promise((resolve, reject) => {
    const address = { hostname: host, host, protocol: scheme, port: String(port) };
    connect(address as buildConnector.Options, (error, socket) => {
      if (error) return reject(error);
      if (options.signal.aborted) {
        socket.destroy();
        return reject(options.signal.reason);
      }
      options.signal.addEventListener("abort", () => socket.destroy(options.signal.reason), {
        once: true,
      });
      resolve(socket);
    });
  });
}

async function readCapped(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  maxBytes: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBytes) {
      body.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, maxBytes);
}
