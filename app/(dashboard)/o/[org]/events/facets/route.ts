import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import { readFacets, readMetadataKeys } from "@/lib/events/server/facets";
import { searchOf } from "@/lib/events/server/search-of";
import { columnField } from "@/lib/events/table-layout";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { parseInput } from "@/lib/http/parse-input";

const facetsSchema = z.object({
  fields: z.array(z.string().max(1_000)).max(20),
  search: z.string().max(200),
});

/**
 * Facets of the page's search: one per `field` (a field as filters name it), only values that contain
 * `search`; with `keys=1` the metadata keys instead.
 * @returns `{ facets: Facet[] }` in the order asked for, or `{ keys: MetadataKeys }`
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/facets", org);
    const { searchParams } = new URL(request.url);
    const { filter, time } = searchOf(searchParams);
    const asked = { filter, ...timeBounds(time, Date.now()) };
    const headers = { "Cache-Control": "no-store" };
    if (searchParams.get("keys") === "1")
      return jsonResponse(200, { keys: await readMetadataKeys(scope, asked) }, headers);
    const { fields, search } = parseInput(facetsSchema, {
      fields: searchParams.getAll("field"),
      search: searchParams.get("search") ?? "",
    });
    const refs = fields.map((name) => {
      const field = columnField(name);
      if (!field) throw new AppError("invalid_request", `There is no field \`${name}\`.`);
      return field;
    });
    return jsonResponse(200, { facets: await readFacets(scope, asked, refs, search) }, headers);
  } catch (error) {
    return errorResponse(error);
  }
}
