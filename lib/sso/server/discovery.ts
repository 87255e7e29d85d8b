import { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { EgressError, exchange } from "@/lib/streams/server/egress";
import type { IssuerReport } from "../schema";

/** OpenID Connect Discovery 1.0: what an issuer says of itself. */

const DEADLINE_MS = 8_000;
/** Those that next-auth's client verifies with keys that the issuer publishes, the one that all have first. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "RS384", "RS512", "ES384", "ES512"];

/** Browsers are sent there, and it is fetched: nothing but the web. */
const endpoint = z.url({ protocol: /^https?$/ });

const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  jwks_uri: endpoint,
  userinfo_endpoint: endpoint.optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).default(["RS256"]),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(["client_secret_basic"]),
});

export interface IssuerMetadata {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  jwksUri: string;
  userinfoEndpoint: string | undefined;
  idTokenAlgorithm: string;
  tokenAuthentication: "client_secret_basic" | "client_secret_post";
}

/** Its message says what is wrong, and what to do. */
export class IssuerError extends Error {}

/** @throws IssuerError */
export async function discover(issuer: string): Promise<IssuerMetadata> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const reply = await exchange(
    { method: "GET", url, headers: { accept: "application/json" } },
    { deadlineMs: DEADLINE_MS, maxReplyBytes: 262_144 },
  ).catch((error: unknown) => {
    if (error instanceof EgressError)
      throw new IssuerError(`${error.problem.message} ${error.problem.advice}`);
    throw new IssuerError(`${url} did not answer: ${reasonOf(error)}.`);
  });
  if (reply.status !== 200)
    throw new IssuerError(
      `${url} answered ${reply.status}. Enter the issuer as the provider spells it, without /.well-known.`,
    );
  return read(issuer, url, reply.body);
}

function reasonOf(error: unknown): string {
  const { code, message, name } = error as { code?: string; message?: string; name?: string };
  if (name === "TimeoutError") return `nothing came within ${DEADLINE_MS / 1_000} seconds`;
  return code ?? message ?? "the connection failed";
}

function read(issuer: string, url: string, body: string): IssuerMetadata {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new IssuerError(`${url} answered something that is not JSON.`);
  }
  const parsed = metadataSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new IssuerError(
      `${url} is no OpenID Connect discovery document: ${issue?.path.join(".") || "it"} is missing or wrong.`,
    );
  }
  const found = parsed.data;
  if (found.issuer !== issuer)
    throw new IssuerError(
      `The provider calls itself ${found.issuer.slice(0, 300)}. Enter exactly that as issuer.`,
    );
  const offered = found.id_token_signing_alg_values_supported;
  const algorithm = ALGORITHMS.find((name) => offered.includes(name));
  if (!algorithm)
    throw new IssuerError(
      `The provider signs with ${offered.join(", ").slice(0, 200) || "nothing"}; one of ${ALGORITHMS.join(", ")} is needed.`,
    );
  const methods = found.token_endpoint_auth_methods_supported;
  const method = (["client_secret_basic", "client_secret_post"] as const).find((name) =>
    methods.includes(name),
  );
  if (!method)
    throw new IssuerError(
      "The provider takes no client secret: client_secret_basic or client_secret_post is needed.",
    );
  return {
    issuer: found.issuer,
    authorizationEndpoint: found.authorization_endpoint,
    tokenEndpoint: found.token_endpoint,
    jwksUri: found.jwks_uri,
    userinfoEndpoint: found.userinfo_endpoint,
    idTokenAlgorithm: algorithm,
    tokenAuthentication: method,
  };
}

/** What is wrong with an issuer, before anybody relies on it. */
export async function checkIssuer(_scope: Scope, issuer: string): Promise<IssuerReport> {
  try {
    const { authorizationEndpoint, idTokenAlgorithm } = await discover(issuer);
    return {
      ok: true,
      words: `It answers, signs with ${idTokenAlgorithm}, and signs people in at ${new URL(authorizationEndpoint).host}.`,
    };
  } catch (error) {
    if (error instanceof IssuerError) return { ok: false, words: error.message };
    throw error;
  }
}
