import pg from "pg";
import type { Prisma } from "@/lib/generated/prisma/client";

/**
 * The text of a statement with its values written in as literals: COPY takes no parameters. Each value
 * becomes a quoted literal of unknown type, which the server types by its place as it does a parameter.
 * @throws RangeError for a value that PostgreSQL cannot hold, TypeError for one that has no literal
 */
export function copySql({ strings, values }: Prisma.Sql): string {
  return strings.reduce((text, part, index) => text + literal(values[index - 1]) + part);
}

function literal(value: unknown): string {
  return value === null ? "NULL" : pg.escapeLiteral(textOf(value));
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return storable(value);
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return `{${value.map(elementOf).join(",")}}`;
  throw new TypeError(`No literal for ${typeof value}`);
}

function elementOf(value: unknown): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return textOf(value);
  return `"${textOf(value).replace(/[\\"]/g, "\\$&")}"`;
}

function storable(text: string): string {
  if (text.includes("\0") || !text.isWellFormed())
    throw new RangeError("PostgreSQL cannot hold U+0000 nor half of a surrogate pair");
  return text;
}
