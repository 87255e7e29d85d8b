import type { Scope } from "@/lib/auth/scope";
import { AppError, type FieldError } from "@/lib/errors";
import { openDestination, parseSecret } from "../registry";
import type { StreamDraft } from "../schema";
import { checkEndpoint } from "./streams";

/**
 * What keeps a draft from being sent, without reaching out: fields that are wrong, secrets that are missing or have
 * the wrong form. Empty when a test may be sent.
 */
export function checkDraft(_scope: Scope, draft: StreamDraft): FieldError[] {
  const errors: FieldError[] = [];
  const collect = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof AppError) || error.errors.length === 0) throw error;
      errors.push(...error.errors);
      return null;
    }
  };
  const destination = collect(() => openDestination(draft.destination, draft.config));
  if (destination) collect(() => checkEndpoint(destination));
  const entered = Object.entries(draft.secrets).filter(([, value]) => value.trim() !== "");
  for (const [name, value] of entered) collect(() => parseSecret(draft.destination, name, value));
  // Which secrets there are depends on the configuration.
  for (const name of destination?.secretNames.required ?? [])
    if (!draft.secrets[name]?.trim() && destination?.generateSecret(name) === null)
      errors.push({ field: `secrets.${name}`, code: "Enter a value." });
  return errors;
}
