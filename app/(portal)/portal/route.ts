import { cookies } from "next/headers";
import { PORTAL_SESSION_S, redeemPortalLink } from "@/lib/auth/server/portal-sessions";
import { errorResponse } from "@/lib/http/error-response";
import { readText } from "@/lib/http/read-body";
import { portalCookie, portalCookieOptions } from "@/lib/portal/cookie";
import { portalHref } from "@/lib/portal/places";

const MAX_TOKEN_LENGTH = 200;
const MAX_FORM_BYTES = 1_000;

/** Scanners of mail ask with HEAD: that must not use the link up. */
export const HEAD = () => new Response(null, { headers: { "Cache-Control": "no-store" } });

/** Redeems a link: the token becomes a cookie and leaves the address. */
export async function GET(request: Request): Promise<Response> {
  try {
    return await redeem(new URL(request.url).searchParams.get("token"), false);
  } catch (error) {
    return errorResponse(error);
  }
}

/** The same for a link that was handed on or mailed, from the page that asks first. */
export async function POST(request: Request): Promise<Response> {
  try {
    const form = new URLSearchParams(await readText(request, MAX_FORM_BYTES));
    return await redeem(form.get("token"), true);
  } catch (error) {
    return errorResponse(error);
  }
}

async function redeem(token: string | null, isAsked: boolean): Promise<Response> {
  const redeemed =
    token && token.length <= MAX_TOKEN_LENGTH ? await redeemPortalLink(token, { isAsked }) : null;
  if (!redeemed) return goTo("/portal/ended");
  const { secret, organizationId, intent } = redeemed;
  (await cookies()).set(portalCookie(), secret, portalCookieOptions(PORTAL_SESSION_S));
  return goTo(intent ? portalHref(organizationId, intent) : "/portal/start");
}

/** Relative: behind a proxy Next knows another origin than the browser. */
function goTo(location: string): Response {
  return new Response(null, {
    status: 303,
    headers: { Location: location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" },
  });
}
