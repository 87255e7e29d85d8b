"use client";

import { useEffect, useState } from "react";
import { THEME_COOKIE, type Theme } from "./theme";

const YEAR_S = 31_536_000;
export const THEMES: { value: Theme; label: string }[] = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** The theme, kept in a cookie, so that the server paints it at once; and what chooses another. */
export function useTheme(): [Theme, (value: string) => void] {
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

  return [theme, choose];
}
