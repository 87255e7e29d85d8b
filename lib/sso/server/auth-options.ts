import type { NextAuthOptions } from "next-auth";
import type { OAuthConfig } from "next-auth/providers/oauth";
import { authOptions } from "@/lib/auth/server/auth-options";
import { openClientSecret } from "@/lib/auth/server/client-secret";
import { SignInRefused } from "@/lib/auth/server/sign-in";
import { readPool } from "@/lib/db/pool";
import { currentRequest } from "@/lib/http/request-context";
import { log } from "@/lib/log";
import { type Claims, claimAt, claimsSchema } from "../claims";
import type { Route } from "../schema";
import { admit, type Voucher } from "./admit";
import { discover } from "./discovery";
import { guardedAgent } from "./guarded-agent";

const TIMEOUT_MS = 8_000;

type Stored = Voucher & { secret: unknown; scopes: string };

const USABLE = `FROM identity_providers p JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL
  WHERE p.enabled`;

async function findProvider(id: string): Promise<Stored | null> {
  const { rows } = await readPool().query<Stored>(
    `SELECT p.organization_id AS "organizationId", p.id, p.name, p.issuer, p.client_id AS "clientId",
       p.client_secret AS secret, p.scopes, p.groups_claim AS "groupsClaim", p.group_roles AS "groupRoles",
       p.default_role AS "defaultRole" ${USABLE} AND p.id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** Where an address signs in, by its domain alone, whether or not somebody has it; null: with a password. */
export async function routeOf(email: string): Promise<Route | null> {
  const { rows } = await readPool().query<Route>(
    `SELECT p.id, p.name ${USABLE} AND (p.organization_id, p.id) IN (
       SELECT organization_id, provider_id FROM identity_domains WHERE domain = $1)`,
    [email.slice(email.lastIndexOf("@") + 1)],
  );
  return rows[0] ?? null;
}

/** Whether any address signs in through a provider. */
export async function hasRoutes(): Promise<boolean> {
  const { rowCount } = await readPool().query("SELECT FROM identity_domains LIMIT 1");
  return rowCount === 1;
}

/** The ways into an organization. Whoever calls has looked that they are told to a member. */
export async function routesOf(organizationId: string): Promise<Route[]> {
  const { rows } = await readPool().query<Route>(
    `SELECT p.id, p.name ${USABLE} AND p.organization_id = $1 ORDER BY lower(p.name), p.id`,
    [organizationId],
  );
  return rows;
}

/**
 * next-auth's options for one request: with the identity provider that its address names, as it is now.
 * @param step what comes after /api/auth/
 * @throws IssuerError when the provider's discovery fails, EnvelopeError when its secret cannot be opened
 */
export async function authOptionsFor(
  [action = "", id = ""]: string[],
  { method, headers }: Pick<Request, "method" | "headers">,
): Promise<NextAuthOptions> {
  const options = authOptions();
  const isAsked = (action === "signin" && method === "POST") || action === "callback";
  const by = isAsked && id.startsWith("idp_") ? await findProvider(id) : null;
  if (!by) return options;
  const userAgent = headers.get("user-agent");
  return {
    ...options,
    providers: [await toProvider(by)],
    logger: {
      error: (code, metadata) =>
        log().warn({ err: errorIn(metadata), code, id }, "signing in failed"),
      warn: () => undefined,
      debug: () => undefined,
    },
    callbacks: {
      ...options.callbacks,
      async signIn({ user, profile }) {
        const { clientAddress = "unknown" } = currentRequest() ?? {};
        try {
          const from = { address: clientAddress, userAgent };
          const { id, sessionId } = await admit(by, claimsSchema.parse(profile), from);
          Object.assign(user, { id, sessionId });
          return true;
        } catch (error) {
          // The message of whatever is thrown here goes to the browser.
          if (error instanceof SignInRefused) throw error;
          log().error({ err: error }, "signing in failed");
          throw new Error("Failed");
        }
      },
    },
  };
}

/** Nothing else of what next-auth would log: there are claims in it. */
function errorIn(metadata: Error | Record<string, unknown>): unknown {
  return metadata instanceof Error ? metadata : (metadata as { error?: unknown }).error;
}

async function toProvider(by: Stored): Promise<OAuthConfig<Claims>> {
  const found = await discover(by.issuer);
  return {
    id: by.id,
    name: by.name,
    type: "oauth",
    issuer: found.issuer,
    clientId: by.clientId,
    clientSecret: openClientSecret(by, by.secret),
    authorization: { url: found.authorizationEndpoint, params: { scope: by.scopes } },
    token: found.tokenEndpoint,
    jwks_endpoint: found.jwksUri,
    idToken: true,
    checks: ["pkce", "state", "nonce"],
    client: {
      id_token_signed_response_alg: found.idTokenAlgorithm,
      token_endpoint_auth_method: found.tokenAuthentication,
    },
    httpOptions: { agent: guardedAgent, timeout: TIMEOUT_MS },
    userinfo: {
      ...(found.userinfoEndpoint ? { url: found.userinfoEndpoint } : {}),
      // Many put into the token only what its few words are for. Its own word counts where both have one.
      async request({ tokens, client }) {
        const claims = (tokens as unknown as { claims(): Claims }).claims();
        const isWhole =
          claims.email !== undefined &&
          (by.groupRoles.length === 0 || claimAt(claims, by.groupsClaim) !== undefined);
        if (isWhole || !found.userinfoEndpoint) return claims;
        const more = await client.userinfo(tokens as never);
        return { ...more, ...claims };
      },
    },
    profile: ({ sub }) => ({ id: sub, sessionId: "" }),
  };
}
