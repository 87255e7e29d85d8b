"use client";

import { useEffect, useState } from "react";
import { MenuLabel, MenuRadio } from "@/components/ui/menu";
import { THEME_COOKIE, type Theme } from "./theme";

const YEAR_S = 31_536_000;
const OPTIONS: { value: Theme; label: string }[] = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** Theme choice inside a menu; kept in a cookie, so that the server paints it at once. */
export function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>("system");

  useEffect(() => {
    const current = document.documentElement.dataset.theme;
    setTheme(current === "light" || current === "dark" ? current : "system");
  }, []);

  const choose = (value: string) => {
    const next = value as Theme;
    setTheme(next);
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs https, which this may not have.
    document.cookie = `${THEME_COOKIE}=${next}; path=/; max-age=${next === "system" ? 0 : YEAR_S}; samesite=lax`;
  };

  return (
    <>
      <MenuLabel>Theme</MenuLabel>
      <MenuRadio value={theme} onChange={choose} options={OPTIONS} />
    </>
  );
}
