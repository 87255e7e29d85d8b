import { publicUrl } from "@/lib/env";

const isSecure = () => publicUrl().startsWith("https:");

/** Name of the portal's cookie. */
export const portalCookie = () => `${isSecure() ? "__Host-" : ""}trailseal-portal`;

export function portalCookieOptions(maxAgeS: number) {
  return {
    httpOnly: true,
    sameSite: "lax",
    secure: isSecure(),
    path: "/",
    maxAge: maxAgeS,
  } as const;
}
