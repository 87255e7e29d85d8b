import { errors } from "undici";
import type { Outcome } from "../destination";
import { KEPT, problem } from "../problems";
import { EgressError } from "./egress";

export const TIMEOUT = "timeout";

export const MISSING = problem(
  "events_missing",
  "Events that the log has counted are not in the database.",
  "Verify the chain: rows were removed. Delivery goes on when they are restored.",
);

export const INTERNAL = problem(
  "internal",
  "Something failed in Trailseal itself.",
  "It tries again with growing pauses. The server's log says more.",
);

const TRANSIENT: Record<string, [code: string, message: string, advice: string]> = {
  ENOTFOUND: [
    "name_not_found",
    "The receiver's name is not known to DNS.",
    "Check the spelling of the host name.",
  ],
  EAI_AGAIN: ["dns_unavailable", "The name service did not answer.", KEPT],
  ECONNREFUSED: [
    "connection_refused",
    "The receiver refused the connection.",
    "Check that it runs and that the port is right.",
  ],
  ECONNRESET: ["connection_reset", "The connection was reset by the receiver.", KEPT],
  EPIPE: ["connection_reset", "The connection was closed by the receiver.", KEPT],
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
    KEPT,
  ],
};

const NAME_AUTHORITY =
  "Enter the certificate authority where the stream asks for it, else start Trailseal with NODE_EXTRA_CA_CERTS naming it.";
const UNKNOWN_AUTHORITY: [message: string, advice: string] = [
  "The receiver's certificate authority is not trusted.",
  NAME_AUTHORITY,
];

const TLS: Record<string, [message: string, advice: string]> = {
  CERT_HAS_EXPIRED: ["The receiver's certificate has expired.", "Renew the certificate."],
  CERT_NOT_YET_VALID: ["The receiver's certificate is not valid yet.", "Check both clocks."],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "The receiver's certificate is for another name.",
    "Enter the name that the certificate has.",
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["The receiver's certificate is self-signed.", NAME_AUTHORITY],
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    "The receiver's certificate is from an authority that is not trusted, or an intermediate certificate is missing.",
    `${NAME_AUTHORITY} If the authority is a public one, complete the chain at the receiver.`,
  ],
};

/** What the receiver says about our certificate (RFC 8446 §6.2), as the end of OpenSSL's code. */
const ALERTS: [pattern: RegExp, code: string, message: string, advice: string][] = [
  [
    /CERTIFICATE_REQUIRED$/,
    "client_certificate_required",
    "The receiver demands a client certificate.",
    "Enter a certificate and key that the receiver's administrator issued.",
  ],
  [
    /ALERT_(CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED)$/,
    "client_certificate_expired",
    "The receiver refused our client certificate: it has expired or was revoked.",
    "Enter a new certificate and key.",
  ],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN|ACCESS_DENIED|DECRYPT_ERROR)$/,
    "client_certificate_rejected",
    "The receiver refused our client certificate.",
    "Check that the receiver trusts its authority and admits its name.",
  ],
  [
    /ALERT_HANDSHAKE_FAILURE$/,
    "handshake_refused",
    "The receiver refused the TLS handshake: it demands a client certificate, or no cipher is common.",
    "Enter a client certificate and key if the receiver demands one, else check its TLS settings.",
  ],
];

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
      problem: problem(TIMEOUT, "The receiver did not answer in time.", KEPT),
      retryAfterS: null,
    };
  }
  const tls = TLS[code];
  if (tls) return { kind: "config_error", problem: problem(`tls_${code.toLowerCase()}`, ...tls) };
  const alert = ALERTS.find(([pattern]) => pattern.test(code));
  if (alert) {
    const [, name, ...words] = alert;
    return { kind: "config_error", problem: problem(`tls_${name}`, ...words) };
  }
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(code)) {
    return {
      kind: "config_error",
      problem: problem(
        "tls",
        "The receiver does not speak TLS here.",
        "Check the port, and that the receiver serves TLS there.",
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
