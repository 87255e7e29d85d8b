import { z } from "zod";

/** How a destination's configuration is entered. Declared with its schema, so that a field stands in one place. */

interface Option {
  id: string;
  label: string;
  about?: string;
}

/** Shown, and demanded, only where another field has this value. */
export interface Condition {
  field: string;
  equals: string | boolean;
}

export interface FieldMeta {
  label: string;
  hint?: string;
  placeholder?: string;
  /** text when absent. `headers`: names of custom headers, each of which has a secret `header:<name>`. */
  kind?: "text" | "url" | "number" | "choice" | "switch" | "multiline" | "headers";
  options?: readonly Option[];
  when?: Condition;
}

export interface SecretSpec {
  label: string;
  hint?: string;
  placeholder?: string;
  multiline?: boolean;
  optional?: boolean;
  when?: Condition;
  /** Takes what was entered, trimmed; gives what is stored. Its messages are shown beside the field. */
  schema: z.ZodType<string, string>;
  /** Makes a value where the sender may choose it and none is entered. */
  generate?(): string;
  /** When a value stops being of use; null where it does not say. */
  expiresAt?(value: string): Date | null;
}

const registry = z.registry<FieldMeta>();

/** Ties a field of a configuration to its place in the form. To be called last: the form knows this instance. */
export function field<Schema extends z.ZodType>(schema: Schema, meta: FieldMeta): Schema {
  registry.add(schema, meta);
  return schema;
}

export interface FormField extends FieldMeta {
  name: string;
  kind: NonNullable<FieldMeta["kind"]>;
  required: boolean;
  /** What an untouched field has. */
  initial: unknown;
}

export type FormSecret = Omit<SecretSpec, "schema" | "generate" | "expiresAt"> & {
  name: string;
  isGenerated: boolean;
};

/** The fields of a configuration in the order of its schema. */
export function fieldsOf(schema: z.ZodObject): FormField[] {
  return Object.entries(schema.shape).map(([name, part]) => {
    const meta = registry.get(part as z.ZodType);
    if (!meta) throw new Error(`the field ${name} has no place in the form`);
    const absent = (part as z.ZodType).safeParse(undefined);
    return {
      ...meta,
      name,
      kind: meta.kind ?? "text",
      required: !absent.success,
      initial: absent.success ? absent.data : undefined,
    };
  });
}

export function holds(condition: Condition | undefined, config: Record<string, unknown>): boolean {
  return condition === undefined || config[condition.field] === condition.equals;
}
