import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import { readFacets, readMetadataKeys } from "@/lib/events/server/facets";
import { recordSearch } from "@/lib/events/server/record-read";
import { searchOf } from "@/lib/events/server/search-of";
import { columnField } from "@/lib/events/table-layout";
import { answerJson } from "@/lib/http/json-handler";
import { parseInput, storableText } from "@/lib/http/parse-input";

const facetsSchema = z.object({
  fields: z.array(storableText(1_000)).max(20),
  search: storableText(200),
});

/**
 * Facets of the page's search: one per `field` (a field as filters name it), only values that contain
 * `search`; with `keys=1` the metadata keys instead.
 * @returns `{ facets: Record<string, Facet> }` by the names asked for, or `{ keys: MetadataKeys }`
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/facets", org);
    const { searchParams } = new URL(request.url);
    const search = searchOf(searchParams);
    await recordSearch(scope, search, { isFollowUp: true });
    const asked = { filter: search.filter, ...timeBounds(search.time, Date.now()) };
    if (searchParams.get("keys") === "1") return { keys: await readMetadataKeys(scope, asked) };
    const { fields, search: part } = parseInput(facetsSchema, {
      fields: searchParams.getAll("field"),
      search: searchParams.get("search") ?? "",
    });
    const refs = fields.map((name) => {
      const field = columnField(name);
      if (!field) throw new AppError("invalid_request", `There is no field \`${name}\`.`);
      return field;
    });
    const facets = await readFacets(scope, asked, refs, part);
    return { facets: Object.fromEntries(fields.map((name, index) => [name, facets[index]])) };
  });
}
