/** Colours as #rrggbb. Contrast after WCAG 2.2, "relative luminance" and "contrast ratio". */

type Rgb = readonly [number, number, number];

const parse = (colour: string): Rgb =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as unknown as Rgb;

const format = (rgb: Rgb) =>
  `#${rgb.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;

function luminance(colour: string): number {
  const [red, green, blue] = parse(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** 1 to 21. */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const mix = (from: string, to: string, share: number): string => {
  const target = parse(to);
  return format(parse(from).map((part, i) => part + ((target[i] ?? 0) - part) * share) as never);
};

/** WCAG 1.4.11 asks 3:1 of what has to be seen, 1.4.3 asks 4.5:1 of text. */
const SEEN = 3;
const STEPS = 20;
const BLACK = "#000000";
const WHITE = "#ffffff";

/** The colour, moved away from the surface until it is seen on it, and what is written upon it. */
export function onSurface(colour: string, surface: string): { fill: string; text: string } {
  const away = luminance(surface) > 0.18 ? BLACK : WHITE;
  const tried = Array.from({ length: STEPS + 1 }, (_, n) => mix(colour, away, n / STEPS));
  const fill = tried.find((found) => contrast(found, surface) >= SEEN) ?? away;
  // Of any colour, black or white has at least 4.58:1.
  const text = contrast(fill, WHITE) >= contrast(fill, BLACK) ? WHITE : BLACK;
  return { fill, text };
}

/** A little further from what is written upon it: under the pointer. */
export const underPointer = ({ fill, text }: { fill: string; text: string }): string =>
  mix(fill, text === WHITE ? BLACK : WHITE, 0.12);
