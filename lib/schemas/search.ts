import { z } from "zod";
import { storableText } from "@/lib/http/parse-input";

const name = storableText(255);
const version = z.coerce.number().int().min(1).max(2_147_483_647);

/** The list of actions, by its URL. */
export const listSearchSchema = z.object({ q: name.default(""), after: name.default("") });

/** One action, by its URL: which version is shown, against which other, and where the list goes on. */
export const actionSearchSchema = z.object({
  name: name.min(1),
  version: version.optional(),
  against: version.optional(),
  before: version.optional(),
});

/** The form for a version, by its URL. */
export const newSearchSchema = z.object({ action: name.default("") });
