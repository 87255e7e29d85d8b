/** Read by the root layout, so that the first paint has the chosen theme. */
export const THEME_COOKIE = "trailseal_theme";

export type Theme = "system" | "light" | "dark";
