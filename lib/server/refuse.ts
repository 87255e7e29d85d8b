import http from "node:http";
import type { Socket } from "node:net";

export interface Refusal {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

const JSON_TYPE = "application/json; charset=utf-8";

const bodyOf = ({ status, code, message }: Refusal) =>
  JSON.stringify({ message, code, ...(status === 400 ? { errors: [] } : {}) });

export function refuse(response: http.ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal.status, { "Content-Type": JSON_TYPE, ...refusal.headers });
  response.end(bodyOf(refusal));
}

/** For what Node could not even parse; the connection ends. */
export function refuseSocket(socket: Socket, refusal: Refusal, requestId: string): void {
  const body = bodyOf(refusal);
  socket.end(
    `HTTP/1.1 ${refusal.status} ${http.STATUS_CODES[refusal.status]}\r\n` +
      `Content-Type: ${JSON_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Request-ID: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const CODES: Record<number, string> = {
  400: "invalid_request",
  404: "not_found",
  405: "method_not_allowed",
};

/** Of the page that would have come, and must not describe what comes instead. */
const STALE = ["content-length", "content-encoding", "transfer-encoding", "etag", "link", "vary"];

/** Replaces the HTML, text and empty bodies with which Next refuses by JSON; answers of ours pass. */
export function refuseInJson(response: http.ServerResponse): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => unknown;
  const write = response.write.bind(response) as (...args: unknown[]) => boolean;
  const end = response.end.bind(response) as (...args: unknown[]) => http.ServerResponse;
  let body: string | null = null;
  response.writeHead = ((status: number, ...rest: unknown[]) => {
    const given = rest.find((arg) => typeof arg === "object") as
      | http.OutgoingHttpHeaders
      | undefined;
    const type = given?.["Content-Type"] ?? given?.["content-type"];
    if (
      status < 400 ||
      /^application\/json/.test(String(type ?? response.getHeader("content-type")))
    )
      return writeHead(status, ...rest);
    for (const name of STALE) response.removeHeader(name);
    const message = http.STATUS_CODES[status] ?? "Refused";
    const code = CODES[status] ?? (status < 500 ? "refused" : "internal_error");
    body = bodyOf({ status, code, message });
    return writeHead(status, {
      "Content-Type": JSON_TYPE,
      "Content-Length": Buffer.byteLength(body),
    });
  }) as typeof response.writeHead;
  // Node would write the head within, too late to replace what it was given.
  const judge = () => {
    if (!response.headersSent && response.statusCode >= 400)
      response.writeHead(response.statusCode);
    return body;
  };
  response.write = ((...args: unknown[]) =>
    judge() === null ? write(...args) : true) as typeof response.write;
  response.end = ((...args: unknown[]) =>
    judge() === null ? end(...args) : end(body)) as typeof response.end;
}
