/** A name that others chose: on one line, and told apart from what a mail says itself. */
export const quoted = (name: string): string =>
  `“${name.replace(/[\s\p{C}]+/gu, " ").slice(0, 100)}”`;
