import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import { THEME_COOKIE } from "@/components/shell/theme";
import { NONCE_HEADER } from "@/lib/http/security-headers";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Trailseal", template: "%s · Trailseal" },
  description: "Audit log",
  icons: { icon: "/icon.svg" },
};

export const viewport: Viewport = { width: "device-width", initialScale: 1 };

/** Libraries that add style elements (radix-ui's scroll lock) look there for the nonce that lets them. */
const TELL_NONCE = "self.__webpack_nonce__ = document.currentScript.nonce";

export default async function RootLayout(props: { children: ReactNode }) {
  const theme = (await cookies()).get(THEME_COOKIE)?.value;
  return (
    <html
      lang="en"
      data-theme={theme === "light" || theme === "dark" ? theme : undefined}
      className={`${GeistSans.variable} ${GeistMono.variable}`}
    >
      <body>
        <script
          nonce={(await headers()).get(NONCE_HEADER) ?? undefined}
          suppressHydrationWarning
          // biome-ignore lint/security/noDangerouslySetInnerHtml: a constant
          dangerouslySetInnerHTML={{ __html: TELL_NONCE }}
        />
        {props.children}
      </body>
    </html>
  );
}
