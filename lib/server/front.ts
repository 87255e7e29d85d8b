import { AsyncResource } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import http from "node:http";
import type { Socket } from "node:net";
import { MAX_BATCH_BYTES } from "@/lib/api/schema";
import { getEnv } from "@/lib/env";
import { clientAddress, inRanges, parseRanges } from "@/lib/http/client-address";
import { MAX_BODY_BYTES } from "@/lib/http/read-body";
import { currentRequest, runWithRequestContext } from "@/lib/http/request-context";
import { hostOf, isForgedMutation } from "@/lib/http/same-origin";
import { secure } from "@/lib/http/security-headers";
import { newId } from "@/lib/ids";
import { log } from "@/lib/log";
import { countRequest } from "@/lib/operations/server/http-counts";
import { tracedRequest, withoutExternalId } from "@/lib/tracing";
import { probes } from "./probes";
import { type Refusal, refuse, refuseInJson, refuseSocket } from "./refuse";

type NextHandler = (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>;

/** Below these, every answer is JSON: SDKs cannot read Next's HTML or text errors. */
const API_PREFIXES = [
  "/audit_logs",
  "/organizations",
  "/portal",
  "/widgets",
  "/_widgets",
  "/client",
  "/v1",
  "/openapi.json",
];

const PORTAL_PAGES = /^\/portal\/(start|ended|enter)$/;

/** What exists below them, by raw path. */
export const API_ROUTES: { path: RegExp; methods: string[]; maxBytes?: number }[] = [
  { path: /^\/audit_logs\/events$/, methods: ["POST"] },
  { path: PORTAL_PAGES, methods: ["GET"] },
  { path: /^\/portal$/, methods: ["GET", "POST"] },
  { path: /^\/portal\/logo$/, methods: ["GET"] },
  { path: /^\/openapi\.json$/, methods: ["GET"] },
  { path: /^\/v1\/events\/batch$/, methods: ["POST"], maxBytes: MAX_BATCH_BYTES },
  { path: /^\/v1\/organizations$/, methods: ["POST"] },
  { path: /^\/v1\/(events|events\/[^/]+|events\/[^/]+\/proof)$/, methods: ["GET"] },
  { path: /^\/v1\/(checkpoints|streams|verification)$/, methods: ["GET"] },
  { path: /^\/widgets\/token$/, methods: ["POST"] },
  { path: /^\/_widgets\/admin-portal\/audit-log-stream$/, methods: ["GET", "OPTIONS"] },
  { path: /^\/_widgets\/admin-portal\/generate-link$/, methods: ["POST", "OPTIONS"] },
  { path: /^\/portal\/generate_link$/, methods: ["POST"] },
  { path: /^\/audit_logs\/actions$/, methods: ["GET"] },
  { path: /^\/audit_logs\/exports$/, methods: ["POST"] },
  { path: /^\/audit_logs\/exports\/[^/]+$/, methods: ["GET"] },
  { path: /^\/audit_logs\/exports\/[^/]+\/(file|manifest)$/, methods: ["GET"] },
  { path: /^\/organizations$/, methods: ["GET", "POST"] },
  { path: /^\/organizations\/external_id\/[^/]+$/, methods: ["GET"] },
  { path: /^\/organizations\/[^/]+$/, methods: ["GET", "PUT", "DELETE"] },
  { path: /^\/organizations\/[^/]+\/audit_logs_retention$/, methods: ["GET", "PUT"] },
  { path: /^\/organizations\/[^/]+\/audit_log_configuration$/, methods: ["GET"] },
  { path: /^\/audit_logs\/actions\/[^/]+\/schemas$/, methods: ["GET", "POST"] },
  { path: /^\/organizations\/[^/]+\/it_contacts$/, methods: ["GET", "POST"] },
  { path: /^\/organizations\/[^/]+\/it_contacts\/[^/]+$/, methods: ["DELETE"] },
  { path: /^\/organizations\/[^/]+\/it_contacts\/[^/]+\/(invite|revoke)$/, methods: ["POST"] },
];

export interface Front {
  server: http.Server;
  /** Until then every request but a health check is answered 503. */
  ready(handler: NextHandler): void;
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function isApiPath(path: string): boolean {
  return API_PREFIXES.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** What Next can be given: it fails on others. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Takes whole files, as they come: limited by what the operator says, and by silence instead of time. */
const UPLOAD = /^\/o\/[^/]+\/import\/upload$/;

/** Pages are got, their actions and forms posted. */
const PAGE_METHODS = ["GET", "HEAD", "POST"];

/** What the build made and what lies in `public`: Next fails on other methods. */
const FILES = /^\/(_next\/|[^/]+\.[a-z]+$)/;
const FILE_METHODS = ["GET", "HEAD"];

function wrongMethod(request: http.IncomingMessage, methods: string[]): Refusal {
  const allowed = methods.join(", ");
  return {
    status: 405,
    code: "method_not_allowed",
    message: `${request.method} is not supported here. Use ${allowed}.`,
    headers: { Allow: allowed },
  };
}

/** The id under which a proxy or client knows a request already, when it is one; else a new one. */
function requestIdOf(request: http.IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{7,127}$/.test(given)
    ? given
    : newId("request");
}

/** Browsers and Next's own router get Next's pages, also for what is refused. */
function wantsPages({ headers }: http.IncomingMessage): boolean {
  return (
    (headers.accept ?? "").includes("text/html") ||
    headers.rsc !== undefined ||
    headers["next-action"] !== undefined
  );
}

function logRequest(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  path: string,
  startedMs: number,
): void {
  const status = response.statusCode;
  const isQuiet = path.startsWith("/_next/") || path in probes;
  log()[status >= 500 ? "error" : isQuiet ? "debug" : "info"](
    {
      method: request.method,
      path: withoutExternalId(path).slice(0, 300),
      status,
      ms: Math.round(performance.now() - startedMs),
      ...(response.writableFinished ? {} : { aborted: true }),
    },
    "request",
  );
}

const MALFORMED: Refusal = {
  status: 400,
  code: "malformed_request",
  message: "The request is not well-formed HTTP.",
};

/** By what Node's parser says. */
const UNREADABLE: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: "headers_too_large",
    message: "The request headers are too large.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: "request_timeout",
    message: "The request did not arrive in time.",
  },
};

/** The reason not to let a request through to Next, whose own refusals are text, HTML or empty. */
function refusalOf(request: http.IncomingMessage, path: string): Refusal | null {
  if (!isDecodable(path)) {
    return {
      status: 400,
      code: "malformed_path",
      message: "The path has a malformed percent escape.",
    };
  }
  if (!METHODS.includes(request.method ?? "")) return wrongMethod(request, METHODS);
  if (!isApiPath(path)) {
    const methods = FILES.test(path) ? FILE_METHODS : PAGE_METHODS;
    if (!methods.includes(request.method ?? "")) return wrongMethod(request, methods);
    const { TRAILSEAL_IMPORT_MAX_BYTES: maxBytes } = getEnv();
    return UPLOAD.test(path) && lengthOf(request) > maxBytes ? largerThan(maxBytes) : null;
  }
  const route = API_ROUTES.find((candidate) => candidate.path.test(path));
  if (!route) return { status: 404, code: "not_found", message: "Not Found" };
  // Next answers HEAD by GET.
  if (!route.methods.includes(request.method === "HEAD" ? "GET" : (request.method ?? "")))
    return wrongMethod(request, route.methods);
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    return {
      status: 415,
      code: "unsupported_encoding",
      message: "Compressed request bodies are not supported.",
    };
  }
  const { maxBytes = MAX_BODY_BYTES } = route;
  return lengthOf(request) > maxBytes ? largerThan(maxBytes) : null;
}

const lengthOf = ({ headers }: http.IncomingMessage) => Number(headers["content-length"] ?? 0);

const largerThan = (maxBytes: number): Refusal => ({
  status: 413,
  code: "payload_too_large",
  message: `The request body is larger than ${maxBytes} bytes.`,
  headers: { Connection: "close" },
});

const MOST_BODY_MS = 60_000;
const MOST_SILENT_MS = 60_000;

/** Ends a request whose body does not arrive in time. Node's own limit knows no path that may take longer. */
function watchBody(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  path: string,
): void {
  const { headers } = request;
  if (lengthOf(request) === 0 && headers["transfer-encoding"] === undefined) return;
  const isUpload = UPLOAD.test(path);
  let seen = 0;
  const look = () => {
    if (request.complete) return clearInterval(timer);
    const { bytesRead } = request.socket;
    if (isUpload && bytesRead > seen) {
      seen = bytesRead;
      return;
    }
    clearInterval(timer);
    const { ERR_HTTP_REQUEST_TIMEOUT: tooSlow } = UNREADABLE;
    if (response.headersSent) request.destroy();
    else
      refuseSocket(request.socket, tooSlow as Refusal, String(response.getHeader("X-Request-ID")));
  };
  const timer = setInterval(look, isUpload ? MOST_SILENT_MS : MOST_BODY_MS);
  timer.unref();
  response.once("close", () => clearInterval(timer));
}

const MOST_DROPPED_BYTES = 16_777_216;
const MOST_DROPPED_MS = 5_000;

/**
 * Takes what is left of a body, within bounds, before the answer: a client whose connection is closed while it
 * still sends sees a broken pipe instead of the reason.
 */
function dropBody(request: http.IncomingMessage, done: () => void): void {
  let left = MOST_DROPPED_BYTES;
  const finish = () => {
    clearTimeout(timer);
    request.off("data", take).off("end", finish).off("close", finish);
    done();
  };
  const take = (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) finish();
  };
  const timer = setTimeout(finish, MOST_DROPPED_MS);
  request.on("data", take).once("end", finish).once("close", finish);
}

/** Proxies often pass their own name for this server on; Next compares Origin with what it is told here. */
function alignHost(request: http.IncomingMessage, ownHosts: string[]): void {
  const origin = hostOf(request.headers.origin ?? "");
  const own = ownHosts.find((host) => host === origin);
  if (own) request.headers["x-forwarded-host"] = own;
}

/**
 * The HTTP server before Next: gives every request an id and a client address, believes forwarding
 * headers from trusted proxies only, refuses what pages of others make browsers send, and refuses in JSON
 * what Next would refuse otherwise.
 * @param publicUrl where people reach this server, when it is known.
 */
export function createFront(trustedProxies: string[], publicUrl?: string): Front {
  const trusted = parseRanges(trustedProxies, "TRUSTED_PROXIES");
  const isEncrypted = publicUrl?.startsWith("https:") ?? false;
  const ownHosts = publicUrl ? [new URL(publicUrl).host] : [];
  let handler: NextHandler | null = null;

  const serve = (request: http.IncomingMessage, response: http.ServerResponse, path: string) => {
    const probe = probes[path];
    if (probe) {
      probe(request, response, handler !== null);
      return;
    }
    if (!handler) {
      refuse(response, {
        status: 503,
        code: "unavailable",
        message: "Trailseal is starting.",
        headers: { "Retry-After": "1" },
      });
      return;
    }
    const refusal = refusalOf(request, path);
    if (refusal) {
      if (refusal.status === 413) dropBody(request, () => refuse(response, refusal));
      else refuse(response, refusal);
      return;
    }
    // The portal gives a cookie to whoever posts a token.
    if (!isApiPath(path) || path === "/portal") {
      if (isForgedMutation(request.method, request.headers, ownHosts)) {
        refuse(response, {
          status: 403,
          code: "foreign_origin",
          message: "This request comes from a page of another site.",
        });
        return;
      }
      alignHost(request, ownHosts);
    }
    if (!wantsPages(request)) refuseInJson(response);
    handler(request, response).catch((error: unknown) => {
      log().error({ err: error }, "the request failed");
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const requestId = currentRequest()?.requestId;
      refuse(response, {
        status: 500,
        code: "internal_error",
        message: `Something failed here. Request ${requestId}.`,
      });
    });
  };

  const server = http.createServer(
    { requestTimeout: 0, headersTimeout: 20_000 },
    (request, response) => {
      const startedMs = performance.now();
      const requestId = requestIdOf(request);
      response.setHeader("X-Request-ID", requestId);
      const address = clientAddress(request.socket.remoteAddress, request.headers, trusted);
      if (!inRanges(address, trusted) && !inRanges(request.socket.remoteAddress ?? "", trusted)) {
        for (const name of Object.keys(request.headers)) {
          if (name.startsWith("x-forwarded-") || name === "forwarded") delete request.headers[name];
        }
      }
      const gone = new AbortController();
      // Every statement of the request listens, and a page makes many at once.
      setMaxListeners(0, gone.signal);
      const path = (request.url ?? "/").split("?", 1)[0] as string;
      secure(request, response, {
        isPage: !isApiPath(path) || PORTAL_PAGES.test(path),
        isEncrypted,
      });
      const context = {
        requestId,
        clientAddress: address,
        userAgent: request.headers["user-agent"] ?? null,
        signal: gone.signal,
      };
      runWithRequestContext(context, () => {
        // Within the context, so that the lines of its end have it too.
        const closed = AsyncResource.bind(() => {
          if (!response.writableFinished)
            gone.abort(new DOMException("The client left", "AbortError"));
          const isWhole = response.writableFinished;
          countRequest(isWhole ? response.statusCode : 0, performance.now() - startedMs);
          logRequest(request, response, path, startedMs);
        });
        response.once("close", closed);
        watchBody(request, response, path);
        const isTrusted = inRanges(request.socket.remoteAddress ?? "", trusted);
        const traced = { path: withoutExternalId(path), requestId, isTrusted };
        tracedRequest(request, response, traced, () => serve(request, response, path));
      });
    },
  );

  server.on("checkExpectation", (request, response) => {
    response.setHeader("X-Request-ID", requestIdOf(request));
    const message = "The Expect header asks for something that is not supported.";
    refuse(response, { status: 417, code: "expectation_failed", message });
  });

  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return;
    refuseSocket(socket, UNREADABLE[error.code ?? ""] ?? MALFORMED, newId("request"));
  });

  return {
    server,
    ready(next) {
      handler = next;
    },
  };
}
