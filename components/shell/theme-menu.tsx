"use client";

import { THEMES, useTheme } from "./use-theme";

/** Theme choice where there is no account menu to hold it; a page before sign-in loads no menus. */
export function ThemeMenu() {
  const [theme, choose] = useTheme();
  return (
    <label className="flex items-center gap-2 text-(--text-2)">
      Theme
      <select
        value={theme}
        onChange={(event) => choose(event.target.value)}
        className="h-7 rounded-[5px] border border-(--border-control) bg-(--surface) px-1.5 text-(--text) max-sm:h-11"
      >
        {THEMES.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}
