import type { Config } from "tailwindcss";

/** Values live in app/tokens.css; classes name them as `text-(--text-2)`. */
export default {
  content: ["./app/**/*.{ts,tsx}", "./components/**/*.{ts,tsx}"],
  theme: {
    extend: {
      fontFamily: { sans: ["var(--font-sans)"], mono: ["var(--font-mono)"] },
      transitionTimingFunction: { trail: "cubic-bezier(.2,.7,.2,1)" },
    },
  },
} satisfies Config;
