import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { findField, isKeyed } from "@/lib/events/fields";
import { readValues } from "@/lib/events/server/values";
import { columnField } from "@/lib/events/table-layout";
import { answerJson } from "@/lib/http/json-handler";
import { parseInput, storableText } from "@/lib/http/parse-input";

const valuesSchema = z.object({ field: storableText(1_000), prefix: storableText(200) });

/**
 * Completions: values of `field` (as filters name it), or the keys of a keyed one, that fit `prefix`.
 * @returns FieldValues
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
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
    return await readValues(scope, ref, prefix);
  });
}
