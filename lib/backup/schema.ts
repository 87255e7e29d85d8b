import { z } from "zod";

/**
 * What a backup says of itself: `manifest.json`. Beside it `manifest.sha256` holds that file's SHA-256, as
 * `sha256sum --check` reads it.
 */

/** Below the backup's directory: what lies on less trusted storage may not write beside the place it is restored to. */
const relativePath = z
  .string()
  .regex(/^[^/\\\0][^\\\0]*$/)
  .refine((path) => !path.split("/").includes(".."));
const identifier = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);

const fileSchema = z.object({
  path: relativePath,
  bytes: z.int().min(0),
  sha256: z.hex().length(64),
});

const commonSchema = z.object({
  format: z.literal(1),
  name: z.string().min(1),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  /** Everything that was acknowledged before it is in the backup. */
  covers_until: z.iso.datetime(),
  /** Of PostgreSQL, as `server_version_num`: 180004. */
  postgres: z.int(),
  /** Newest of the schema. */
  migration: z.string(),
  /** In all logs: at least; of an archive, exactly. */
  events: z.int().min(0),
  files: z.array(fileSchema),
});

/** The files of the embedded server's cluster, under `pg`. */
const physicalSchema = commonSchema.extend({
  kind: z.literal("physical"),
  /** Also those without a file. */
  directories: z.array(relativePath),
});

/** The rows of every table, under `tables`, in an order that foreign keys allow. */
const archiveSchema = commonSchema.extend({
  kind: z.literal("archive"),
  tables: z.array(
    z.object({
      /** The table, or a partition of one. */
      name: identifier,
      /** The table that rows of a partition are loaded into, and the instant at which the partition begins. */
      parent: identifier.nullable(),
      begins: z.string().nullable(),
      columns: z.array(identifier),
      rows: z.int().min(0),
    }),
  ),
  sequences: z.array(z.object({ name: identifier, value: z.string().regex(/^-?\d+$/) })),
});

export const manifestSchema = z.discriminatedUnion("kind", [physicalSchema, archiveSchema]);

export type BackupFile = z.infer<typeof fileSchema>;
export type Manifest = z.infer<typeof manifestSchema>;
export type PhysicalManifest = z.infer<typeof physicalSchema>;
export type ArchiveManifest = z.infer<typeof archiveSchema>;

/** What whoever writes a backup knows; the rest of its manifest follows from the files. */
export type Contents<M extends Manifest> = Omit<
  M,
  "format" | "name" | "started_at" | "finished_at" | "files"
>;

export const bytesOf = ({ files }: Pick<Manifest, "files">): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);

/** The last one that ended, as the instance knows it. */
export const lastBackupSchema = z.object({
  name: z.string(),
  kind: z.enum(["physical", "archive"]),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  covers_until: z.iso.datetime(),
  bytes: z.int(),
  events: z.int(),
  with_keys: z.boolean(),
});

export type LastBackup = z.infer<typeof lastBackupSchema>;
