import type { FieldError } from "@/lib/errors";
import type { ActionSchema } from "@/lib/schemas/schema";

interface TargetDraft {
  /** Stable while the row is edited. */
  key: number;
  type: string;
  metadata: string;
}

/** What the form holds: JSON as typed, empty where nothing is asked for. */
export interface Draft {
  action: string;
  targets: TargetDraft[];
  actor: string;
  metadata: string;
}

const toText = (schema: object | null | undefined) =>
  schema ? JSON.stringify(schema, null, 2) : "";

/** @param schema what to start from: the newest version, or only the types of targets that were seen */
export function draftOf(
  action: string,
  schema: Pick<ActionSchema, "targets" | "actor" | "metadata">,
): Draft {
  return {
    action,
    targets: schema.targets.map(({ type, metadata }, key) => ({
      key,
      type,
      metadata: toText(metadata),
    })),
    actor: toText(schema.actor?.metadata),
    metadata: toText(schema.metadata),
  };
}

/** What actions take, or where the text is no JSON. */
export function inputOf(draft: Draft): { input: object; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const parse = (text: string, field: string): unknown => {
    if (text.trim() === "") return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      errors.push({ field, code: `is not JSON: ${(error as Error).message}` });
    }
  };
  const actor = parse(draft.actor, "schema.actor.metadata");
  const schema = {
    targets: draft.targets.map(({ type, metadata }, index) => ({
      type,
      metadata: parse(metadata, `schema.targets.${index}.metadata`),
    })),
    actor: actor === undefined ? undefined : { metadata: actor },
    metadata: parse(draft.metadata, "schema.metadata"),
  };
  return { input: { action: draft.action, schema }, errors };
}

/** What is wrong at a field or inside it: "properties.total.type must be …". */
export function errorAt(errors: FieldError[], field: string): string | null {
  const own = errors.flatMap((error) => {
    if (error.field === field) return [error.code];
    const isInside = error.field.startsWith(`${field}.`);
    return isInside ? [`${error.field.slice(field.length + 1)}: ${error.code}`] : [];
  });
  return own.length > 0 ? own.join("; ") : null;
}
