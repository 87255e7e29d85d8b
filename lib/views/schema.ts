import { z } from "zod";
import { parseEventSearch } from "@/lib/events/filter/parse-url";
import { parseLayout } from "@/lib/events/table-layout";
import { viewSearchOf } from "./view";

export const MAX_VIEWS = 200;
const MAX_LAYOUT_CHARS = 8_192;

const searchSchema = z
  .string()
  .max(10_000, "is too long")
  .transform((text, context) => {
    const params = new URLSearchParams(text);
    const parsed = parseEventSearch(params);
    for (const { message } of parsed.ok ? [] : parsed.problems)
      context.addIssue({ code: "custom", message });
    return viewSearchOf(params);
  });

const layoutSchema = z
  .unknown()
  .refine((value) => (JSON.stringify(value) ?? "").length <= MAX_LAYOUT_CHARS, "is too large")
  .transform(parseLayout);

export const newViewSchema = z.object({
  name: z.string().trim().min(1, "must not be empty").max(80, "must have at most 80 characters"),
  isShared: z.boolean(),
  search: searchSchema,
  layout: layoutSchema,
});

export type NewView = z.infer<typeof newViewSchema>;

export const viewIdSchema = z.string().max(64);

export const viewChangeSchema = z.object({
  id: viewIdSchema,
  change: newViewSchema.partial(),
});

export type ViewChange = z.infer<typeof viewChangeSchema>["change"];

export const viewMarkSchema = z.object({
  id: viewIdSchema,
  mark: z.object({ isStarred: z.boolean(), isDefault: z.boolean() }).partial(),
});

export type ViewMark = z.infer<typeof viewMarkSchema>["mark"];
