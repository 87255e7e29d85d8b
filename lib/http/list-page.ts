import { z } from "zod";
import { parseFields } from "./parse-input";

/** Lists of the compatible API: contract §11. */

const cursor = z.string().regex(/^[\x21-\x7e]{1,128}$/, "is no cursor");

const listQuerySchema = z
  .object({
    limit: z
      .string()
      .regex(/^\d{1,3}$/, "must be a whole number from 1 to 100")
      .transform(Number)
      .refine((limit) => limit >= 1 && limit <= 100, "must be a whole number from 1 to 100")
      .default(10),
    before: cursor.optional(),
    after: cursor.optional(),
    order: z.enum(["asc", "desc", "normal"], "must be asc, desc or normal").default("desc"),
  })
  .refine(({ before, after }) => !before || !after, {
    path: ["before"],
    message: "cannot be used together with after",
  });

/** The part of a list that a request asks for. */
export type ListQuery = z.infer<typeof listQuerySchema>;

/** @throws AppError validation_failed */
export function parseListQuery(params: URLSearchParams): ListQuery {
  const present = [...params].filter(([, value]) => value !== "");
  return parseFields(listQuerySchema, Object.fromEntries(present));
}

/** What to read for a page: rows strictly beyond `from` (its id; null: from the start), so ordered. */
export interface ListStep {
  from: string | null;
  direction: "asc" | "desc";
  /** One more than the page holds: the last one only shows that there are more. */
  limit: number;
}

export interface ListPage<T> {
  object: "list";
  data: T[];
  list_metadata: { before: string | null; after: string | null };
}

/**
 * Reads a page by keyset. A cursor is the id of the row at a page's edge, null where the list ends.
 * @param read gives nothing for a cursor that it does not know.
 */
export async function readListPage<Row extends { id: string }, T>(
  query: ListQuery,
  read: (step: ListStep) => Promise<Row[]>,
  toData: (row: Row) => T,
): Promise<ListPage<T>> {
  // "normal" is descending, with before and after the other way round.
  const isSwapped = query.order === "normal";
  const [before, after] = isSwapped ? [query.after, query.before] : [query.before, query.after];
  const forward = query.order === "asc" ? "asc" : "desc";
  const rows = await read({
    from: before ?? after ?? null,
    direction: before ? (forward === "asc" ? "desc" : "asc") : forward,
    limit: query.limit + 1,
  });
  const page = rows.slice(0, query.limit);
  if (before) page.reverse();
  const hasMore = rows.length > query.limit;
  const edge = (row: Row | undefined, isOpen: boolean) => (row && isOpen ? row.id : null);
  const previous = edge(page[0], before ? hasMore : after !== undefined);
  const next = edge(page.at(-1), before ? true : hasMore);
  return {
    object: "list",
    data: page.map(toData),
    list_metadata: isSwapped
      ? { before: next, after: previous }
      : { before: previous, after: next },
  };
}
