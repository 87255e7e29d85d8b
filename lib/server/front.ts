import { setMaxListeners } from "node:events";
import http from "node:http";
import { clientAddress, inRanges, parseRanges } from "@/lib/http/client-address";
import { MAX_BODY_BYTES } from "@/lib/http/read-body";
import { runWithRequestContext } from "@/lib/http/request-context";
import { hostOf, isForgedMutation } from "@/lib/http/same-origin";
import { newId } from "@/lib/ids";

export type NextHandler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => Promise<void>;

/** Below these, every answer is JSON: SDKs cannot read Next's HTML or text errors. */
const API_PREFIXES = [
  "/audit_logs",
  "/organizations",
  "/portal",
  "/widgets",
  "/_widgets",
  "/client",
];

/** What exists below them, by raw path. */
const API_ROUTES: { path: RegExp; methods: string[] }[] = [
  { path: /^\/audit_logs\/events$/, methods: ["POST"] },
  { path: /^\/audit_logs\/actions$/, methods: ["GET"] },
  { path: /^\/audit_logs\/exports$/, methods: ["POST"] },
  { path: /^\/audit_logs\/exports\/[^/]+$/, methods: ["GET"] },
  { path: /^\/audit_logs\/exports\/[^/]+\/file$/, methods: ["GET"] },
  { path: /^\/organizations$/, methods: ["GET", "POST"] },
  { path: /^\/organizations\/external_id\/[^/]+$/, methods: ["GET"] },
  { path: /^\/organizations\/[^/]+$/, methods: ["GET", "PUT", "DELETE"] },
  { path: /^\/organizations\/[^/]+\/audit_logs_retention$/, methods: ["GET", "PUT"] },
  { path: /^\/organizations\/[^/]+\/audit_log_configuration$/, methods: ["GET"] },
  { path: /^\/audit_logs\/actions\/[^/]+\/schemas$/, methods: ["GET", "POST"] },
];

export interface Front {
  server: http.Server;
  /** Until then every request but a health check is answered 503. */
  ready(handler: NextHandler): void;
}

interface Refusal {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

function refuse(response: http.ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal.status, {
    "Content-Type": "application/json; charset=utf-8",
    ...refusal.headers,
  });
  const errors = refusal.status === 400 ? { errors: [] } : {};
  response.end(JSON.stringify({ message: refusal.message, code: refusal.code, ...errors }));
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

/** The reason not to let a request through to Next, whose own refusals are text, HTML or empty. */
function refusalOf(request: http.IncomingMessage, path: string): Refusal | null {
  if (!isDecodable(path)) {
    return {
      status: 400,
      code: "malformed_path",
      message: "The path has a malformed percent escape.",
    };
  }
  if (!isApiPath(path)) return null;
  const route = API_ROUTES.find((candidate) => candidate.path.test(path));
  if (!route) return { status: 404, code: "not_found", message: "Not Found" };
  if (!route.methods.includes(request.method ?? "")) {
    const allowed = route.methods.join(", ");
    return {
      status: 405,
      code: "method_not_allowed",
      message: `${request.method} is not supported here. Use ${allowed}.`,
      headers: { Allow: allowed },
    };
  }
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) {
    return {
      status: 413,
      code: "payload_too_large",
      message: `The request body is larger than ${MAX_BODY_BYTES} bytes.`,
      headers: { Connection: "close" },
    };
  }
  return null;
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
  const ownHosts = publicUrl ? [new URL(publicUrl).host] : [];
  let handler: NextHandler | null = null;

  const server = http.createServer(
    { requestTimeout: 60_000, headersTimeout: 20_000 },
    (request, response) => {
      const requestId = newId("request");
      response.setHeader("X-Request-ID", requestId);
      response.setHeader("X-Content-Type-Options", "nosniff");
      response.setHeader("X-Frame-Options", "DENY");
      const address = clientAddress(request.socket.remoteAddress, request.headers, trusted);
      if (!inRanges(address, trusted) && !inRanges(request.socket.remoteAddress ?? "", trusted)) {
        for (const name of Object.keys(request.headers)) {
          if (name.startsWith("x-forwarded-") || name === "forwarded") delete request.headers[name];
        }
      }
      const path = (request.url ?? "/").split("?", 1)[0] as string;
      if (path === "/healthz") {
        const body = JSON.stringify({ status: handler ? "ok" : "starting" });
        response.writeHead(handler ? 200 : 503, {
          "Content-Type": "application/json; charset=utf-8",
        });
        response.end(body);
        return;
      }
      if (!handler) {
        const headers = { "Retry-After": "1" };
        refuse(response, {
          status: 503,
          code: "unavailable",
          message: "Trailseal is starting.",
          headers,
        });
        return;
      }
      const refusal = refusalOf(request, path);
      if (refusal) {
        refuse(response, refusal);
        return;
      }
      if (!isApiPath(path)) {
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
      const gone = new AbortController();
      // Every statement of the request listens, and a page makes many at once.
      setMaxListeners(0, gone.signal);
      response.once("close", () => {
        if (!response.writableFinished)
          gone.abort(new DOMException("The client left", "AbortError"));
      });
      const context = { requestId, clientAddress: address, signal: gone.signal };
      runWithRequestContext(context, () => handler?.(request, response))?.catch(
        (error: unknown) => {
          console.error(`[trailseal] ${requestId} ${String(error)}`);
          if (!response.headersSent) {
            refuse(response, {
              status: 500,
              code: "internal_error",
              message: `Something failed here. Request ${requestId}.`,
            });
          } else {
            response.destroy();
          }
        },
      );
    },
  );

  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return;
    const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
    const body = JSON.stringify({
      message: tooLarge
        ? "The request headers are too large."
        : "The request is not well-formed HTTP.",
      code: tooLarge ? "headers_too_large" : "malformed_request",
      errors: [],
    });
    socket.end(
      `HTTP/1.1 ${tooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request"}\r\n` +
        `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `X-Request-ID: ${newId("request")}\r\nConnection: close\r\n\r\n${body}`,
    );
  });

  return {
    server,
    ready(next) {
      handler = next;
    },
  };
}

const PORTS_TRIED = 50;

/**
 * Listens on `port`, or the next free one.
 * @returns the port in use.
 */
export async function listen(
  server: http.Server,
  port: number,
  host: string | undefined,
): Promise<number> {
  for (let candidate = port; candidate < port + PORTS_TRIED; candidate += 1) {
    const bound = await tryListen(server, candidate, host);
    if (bound !== null) return bound;
  }
  throw new Error(`Ports ${port} to ${port + PORTS_TRIED - 1} are all in use. Set PORT.`);
}

function tryListen(
  server: http.Server,
  port: number,
  host: string | undefined,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      server.removeListener("listening", succeed);
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    };
    const succeed = () => {
      server.removeListener("error", fail);
      resolve((server.address() as { port: number }).port);
    };
    server.once("error", fail);
    server.once("listening", succeed);
    server.listen({ port, host });
  });
}
