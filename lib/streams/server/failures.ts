import { errors } from "undici";
import type { Outcome } from "../destination";
import { problem } from "../problems";
import { EgressError } from "./egress";

const WAIT = "Trailseal keeps the events and tries again by itself, with growing pauses.";

const TRANSIENT: Record<string, [code: string, message: string, advice: string]> = {
  ENOTFOUND: [
    "name_not_found",
    "The receiver's name is not known to DNS.",
    "Check the spelling of the host name.",
  ],
  EAI_AGAIN: ["dns_unavailable", "The name service did not answer.", WAIT],
  ECONNREFUSED: [
    "connection_refused",
    "The receiver refused the connection.",
    "Check that it runs and that the port is right.",
  ],
  ECONNRESET: ["connection_reset", "The connection was reset by the receiver.", WAIT],
  EPIPE: ["connection_reset", "The connection was closed by the receiver.", WAIT],
  EHOSTUNREACH: [
    "unreachable",
    "The receiver's network cannot be reached.",
    "Check routes and firewalls between Trailseal and the receiver.",
  ],
  ENETUNREACH: [
    "unreachable",
    "The receiver's network cannot be reached.",
    "Check routes and firewalls between Trailseal and the receiver.",
  ],
  ETIMEDOUT: [
    "connect_timeout",
    "The connection timed out.",
    "Check the port and that a firewall lets the connection pass.",
  ],
  UND_ERR_CONNECT_TIMEOUT: [
    "connect_timeout",
    "No connection within 5 seconds.",
    "Check the port and that a firewall lets the connection pass.",
  ],
  UND_ERR_SOCKET: [
    "connection_reset",
    "The receiver closed the connection before it answered.",
    WAIT,
  ],
};

const TLS: Record<string, [message: string, advice: string]> = {
  CERT_HAS_EXPIRED: ["The receiver's certificate has expired.", "Renew the certificate."],
  CERT_NOT_YET_VALID: ["The receiver's certificate is not valid yet.", "Check both clocks."],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "The receiver's certificate is for another name.",
    "Enter the name that the certificate has.",
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    "The receiver's certificate is self-signed.",
    "Start Trailseal with NODE_EXTRA_CA_CERTS naming its certificate authority, or install a public certificate.",
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    "The receiver's certificate authority is not trusted.",
    "Start Trailseal with NODE_EXTRA_CA_CERTS naming it.",
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    "The receiver does not send its intermediate certificate.",
    "Complete the certificate chain at the receiver.",
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    "The receiver's certificate authority is not trusted.",
    "Start Trailseal with NODE_EXTRA_CA_CERTS naming it.",
  ],
};

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: string; name?: string };
  return code ?? name ?? "";
}

/** What a request that got no answer means; rethrows what is a fault of ours. */
export function classifyFailure(error: unknown): Outcome {
  if (error instanceof EgressError) return { kind: "config_error", problem: error.problem };
  const code = codeOf(error);
  const isTimeout =
    code === "TimeoutError" ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    (error as { code?: unknown }).code === 23;
  if (isTimeout) {
    return {
      kind: "retry",
      problem: problem("timeout", "The receiver did not answer in time.", WAIT),
      retryAfterS: null,
    };
  }
  const tls = TLS[code];
  if (tls) return { kind: "config_error", problem: problem(`tls_${code.toLowerCase()}`, ...tls) };
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) {
    return {
      kind: "config_error",
      problem: problem(
        "tls",
        "The receiver does not speak TLS here.",
        "Check the port; use https:// only where the receiver serves it.",
      ),
    };
  }
  const transient = TRANSIENT[code];
  if (transient) return { kind: "retry", problem: problem(...transient), retryAfterS: null };
  if (error instanceof errors.UndiciError) {
    return {
      kind: "retry",
      problem: problem(
        "protocol",
        "The receiver's answer is not well-formed HTTP.",
        "Check the address and any proxy on the way.",
      ),
      retryAfterS: null,
    };
  }
  throw error;
}

/** Text of a receiver that people may see: no control or format characters, at most `limit` characters. */
export function sanitise(text: string, limit = 500): string {
  return text.replace(/[^\P{C}\t\n]/gu, " ").slice(0, limit);
}

/** Whole seconds of a Retry-After header, either form (RFC 9110 §10.2.3); null when absent or unreadable. */
export function retryAfterS(header: string | undefined, now = Date.now()): number | null {
  if (header === undefined) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000));
}
