import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { readSecret } from "@/lib/secrets";
import { permissionOf, type WidgetAccessKey } from "../access";
import type { Scope } from "../scope";

/** The one widget that there is here. */
export const WIDGET_SCOPE = "widgets:audit-log-streaming:manage";
const LIFETIME_S = 3_600;

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString("base64url");
const claimsSchema = z.object({
  org_id: z.string(),
  permissions: z.array(z.string()),
  exp: z.number(),
});

function signatureOf(signed: string): Buffer {
  return createHmac("sha256", Buffer.from(readSecret("widgets"), "hex"))
    .update(signed)
    .digest();
}

/**
 * A JWT for the widgets of one organization. Widgets read its claims with atob, which knows no base64url:
 * claims have only what is the same in both, so the caller's user is not among them.
 */
export function issueWidgetToken(scope: Scope, permissions: string[], nowMs = Date.now()): string {
  const exp = Math.floor(nowMs / 1_000) + LIFETIME_S;
  const claims = JSON.stringify({ org_id: scope.organizationId, permissions, exp });
  const signed = `${HEADER}.${Buffer.from(claims).toString("base64url")}`;
  return `${signed}.${signatureOf(signed).toString("base64url")}`;
}

function claimsOf(token: string): z.infer<typeof claimsSchema> | null {
  const [header, payload, signature, ...rest] = token.split(".");
  if (header !== HEADER || !payload || !signature || rest.length > 0) return null;
  const given = Buffer.from(signature, "base64url");
  const own = signatureOf(`${header}.${payload}`);
  if (given.length !== own.length || !timingSafeEqual(given, own)) return null;
  return claimsSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
}

/**
 * What a widget may do. It renews its token after a 403, so everything that is wrong with one is a 403.
 * @throws AppError forbidden
 */
export async function authenticateWidget(
  request: Request,
  accessKey: WidgetAccessKey,
): Promise<Scope> {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "");
  const claims = claimsOf(bearer?.[1] ?? "");
  const refused = () =>
    new AppError("forbidden", "The widget's token is missing, wrong or has ended.");
  if (!claims || claims.exp * 1_000 <= Date.now()) throw refused();
  if (!claims.permissions.includes(WIDGET_SCOPE)) throw refused();
  const found = await readPool().query(
    "SELECT 1 FROM organizations WHERE id = $1 AND deleted_at IS NULL",
    [claims.org_id],
  );
  if (found.rowCount !== 1) throw refused();
  return {
    principal: { kind: "widget" },
    permissions: new Set([permissionOf(accessKey)]),
    organizationId: claims.org_id,
  } as unknown as Scope;
}
