import { z } from "zod";
import { AppError } from "@/lib/errors";
import type {
  Batch,
  Destination,
  Frame,
  Outcome,
  ReadTransport,
  Secrets,
  StoredObject,
  Transport,
} from "./destination";
import { azureBlob } from "./destinations/azure-blob";
import { datadog } from "./destinations/datadog";
import { elastic } from "./destinations/elastic";
import { gcs } from "./destinations/gcs";
import { logscale } from "./destinations/logscale";
import { otlp } from "./destinations/otlp";
import { s3 } from "./destinations/s3";
import { sentinel } from "./destinations/sentinel";
import { splunk } from "./destinations/splunk";
import { syslog } from "./destinations/syslog";
import { webhook } from "./destinations/webhook";
import { type FormField, type FormSecret, fieldsOf, holds } from "./form";
import { FORMATS, type FormatId } from "./formats";
import { requestOf } from "./request";

/** Kinds of receivers, in the order the forms show them. */
export const destinations: readonly Destination[] = [
  webhook,
  splunk,
  logscale,
  datadog,
  s3,
  gcs,
  azureBlob,
  sentinel,
  elastic,
  syslog,
  otlp,
] as unknown as Destination[];

const DEADLINE_MS = 10_000;

/** A destination with its configuration: what the engine works with. */
export interface OpenDestination {
  readonly id: string;
  readonly label: string;
  readonly config: Record<string, unknown>;
  readonly endpoint: string;
  /** Equal as long as stored secrets may go there. */
  readonly boundTo: string;
  readonly description: string;
  readonly deadlineMs: number;
  /** Its default when none is given. @throws AppError for one that it does not have. */
  chooseFormat(format: FormatId | undefined): FormatId;
  /** Those that have to be there, and those that may. */
  readonly secretNames: { required: string[]; optional: string[] };
  /** @throws AppError when its form is wrong. */
  parseSecret(name: string, value: string): string;
  /** A fresh value for a secret that the sender may choose, else null. */
  generateSecret(name: string): string | null;
  secretExpiresAt(name: string, value: string): Date | null;
  frame(batch: Batch, secrets: Secrets): Frame;
  send(frame: Frame, secrets: Secrets, transport: Transport): Promise<Outcome>;
  /** Null where the destination cannot be read. */
  readBack:
    | ((
        prefixes: Iterable<string>,
        secrets: Secrets,
        transport: ReadTransport,
      ) => AsyncIterable<StoredObject>)
    | null;
}

const knownAs = (id: string) => destinations.find((known) => known.id === id);

// What is saved may be of a kind that only another version knows: it is shown all the same.
export const labelOf = (id: string): string => knownAs(id)?.label ?? id;
export const contractTypeOf = (id: string) => knownAs(id)?.contractType ?? "GenericHttps";
/** Whether what lies there can be compared with the log. */
export const isReadable = (id: string): boolean => knownAs(id)?.readBack !== undefined;

/** @throws AppError for a kind that this version does not know. */
function destinationOf(id: string): Destination {
  const destination = knownAs(id);
  if (!destination) {
    const known = destinations.map((other) => other.id).join(", ");
    throw new AppError("invalid_request", `There is no destination ${id}. Known are ${known}.`, {
      errors: [{ field: "destination", code: "Choose a destination." }],
    });
  }
  return destination;
}

/** What is saved, also where nothing can be delivered with it: the description says why, and it can be mended. */
export function describeSaved(
  id: string,
  raw: unknown,
): Pick<OpenDestination, "id" | "label" | "description" | "config"> {
  try {
    return openDestination(id, raw);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const config = z.record(z.string(), z.unknown()).safeParse(raw).data ?? {};
    return { id, label: labelOf(id), description: error.message, config };
  }
}

/** @throws AppError invalid_request naming every field that is wrong, as `config.<field>`. */
export function openDestination(id: string, raw: unknown): OpenDestination {
  const destination = destinationOf(id);
  const config = parseConfig(destination, raw);
  const secretNames = namesOfSecrets(destination, config);
  const endpoint = destination.endpoint(config);
  const { protocol, host } = new URL(endpoint);
  const readBack = destination.readBack?.bind(destination);
  return {
    id: destination.id,
    label: destination.label,
    config,
    endpoint,
    boundTo: JSON.stringify([protocol, host, destination.boundTo?.(config) ?? null]),
    description: destination.describe(config),
    deadlineMs: destination.deadlineMs?.(config) ?? DEADLINE_MS,
    chooseFormat: (format) => chooseFormat(destination, format),
    secretNames,
    parseSecret: (name, value) => parseSecret(id, name, value),
    generateSecret: (name) => destination.secrets[name]?.generate?.() ?? null,
    secretExpiresAt: (name, value) => destination.secrets[name]?.expiresAt?.(value) ?? null,
    frame: (batch, secrets) => destination.frame(batch, config, secrets),
    async send(frame, secrets, transport) {
      if (frame.tooLarge) return { kind: "split", problem: frame.tooLarge };
      if (destination.send) return destination.send(frame, config, secrets, transport);
      return destination.classify(await transport.http(requestOf(frame)), frame.count);
    },
    readBack: readBack
      ? (prefixes, secrets, transport) => readBack(prefixes, config, secrets, transport)
      : null,
  };
}

/** A field left empty is absent. */
function parseConfig(destination: Destination, raw: unknown): Record<string, unknown> {
  const entered = z.record(z.string(), z.unknown()).safeParse(raw).data ?? {};
  const filled = Object.fromEntries(
    Object.entries(entered).filter(([, value]) => value !== "" && value !== undefined),
  );
  const parsed = destination.configSchema.safeParse(filled, {
    error: (issue) => (issue.input === undefined ? "Enter a value." : undefined),
  });
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    field: ["config", ...path].join("."),
    code: message,
  }));
  const words = errors.map(({ field, code }) => `${field}: ${code}`).join(" ");
  throw new AppError("invalid_request", words, { errors });
}

function chooseFormat({ label, formats }: Destination, format = formats[0]): FormatId {
  if (formats.includes(format)) return format;
  const code = `${label} takes ${formats.join(", ")}.`;
  throw new AppError("invalid_request", code, { errors: [{ field: "format", code }] });
}

function namesOfSecrets(destination: Destination, config: Record<string, unknown>) {
  const required: string[] = [];
  const optional: string[] = [];
  for (const [name, spec] of Object.entries(destination.secrets)) {
    if (name === HEADER || !holds(spec.when, config)) continue;
    (spec.optional ? optional : required).push(name);
  }
  if (destination.secrets[HEADER]) {
    const names = z.array(z.string()).parse(config.headers);
    required.push(...names.map((name) => `${HEADER}:${name}`));
  }
  return { required, optional };
}

/** Stands for all of `header:<name>`. */
const HEADER = "header";

/** @throws AppError when its form is wrong, or the destination has no such secret. */
export function parseSecret(destinationId: string, name: string, value: string): string {
  const destination = destinationOf(destinationId);
  const spec = destination.secrets[name.startsWith(`${HEADER}:`) ? HEADER : name];
  const parsed = spec?.schema.safeParse(value.trim());
  if (parsed?.success) return parsed.data;
  const code = parsed?.error.issues[0]?.message ?? "is not a secret of this destination";
  throw new AppError("invalid_request", `secrets.${name}: ${code}`, {
    errors: [{ field: `secrets.${name}`, code }],
  });
}

/** What a form needs to know of a destination. Holds no code: it crosses to the browser. */
export interface DestinationForm {
  id: string;
  label: string;
  about: string;
  formats: { id: FormatId; label: string; about: string }[];
  fields: FormField[];
  secrets: FormSecret[];
}

export function destinationForms(): DestinationForm[] {
  return destinations.map(({ id, label, about, formats, configSchema, secrets }) => ({
    id,
    label,
    about,
    formats: formats.map((format) => ({ id: format, ...FORMATS[format] })),
    fields: fieldsOf(configSchema),
    secrets: Object.entries(secrets).map(
      ([name, { schema: _, generate, expiresAt: __, ...spec }]) => ({
        ...spec,
        name,
        isGenerated: generate !== undefined,
      }),
    ),
  }));
}
