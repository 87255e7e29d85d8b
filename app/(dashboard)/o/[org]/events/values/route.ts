import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { findField, isKeyed } from "@/lib/events/fields";
import { readValues } from "@/lib/events/server/values";
import { columnField } from "@/lib/events/table-layout";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { parseInput } from "@/lib/http/parse-input";

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((given) => !given.includes("\0"));
const valuesSchema = z.object({ field: text(1_000), prefix: text(200) });

/**
 * Completions: values of `field` (as filters name it), or the keys of a keyed one, that fit `prefix`.
 * @returns FieldValues
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/values", org);
    const { searchParams } = new URL(request.url);
    const { field, prefix } = parseInput(valuesSchema, {
      field: searchParams.get("field") ?? "",
      prefix: searchParams.get("prefix") ?? "",
    });
    const known = findField(field);
    const ref = known && isKeyed(known) ? { id: known.id, path: [] } : columnField(field);
    if (!ref) throw new AppError("invalid_request", `There is no field \`${field}\`.`);
    const headers = { "Cache-Control": "no-store" };
    return jsonResponse(200, await readValues(scope, ref, prefix), headers);
  } catch (error) {
    return errorResponse(error);
  }
}
