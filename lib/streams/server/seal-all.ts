import { AppError } from "@/lib/errors";
import type { OpenDestination } from "../registry";
import { PREVIOUS, type SecretOwner, type StoredSecrets, sealSecret } from "./secrets";

interface SealedSecrets {
  stored: StoredSecrets;
  /** Values made here, which nobody has seen: to be shown once. */
  generated: Record<string, string>;
}

/**
 * What was entered, sealed, and what is kept or made here.
 * @throws AppError for a secret that is missing, unknown or of the wrong form
 */
export function sealAll(
  owner: SecretOwner,
  destination: OpenDestination,
  given: Record<string, string>,
  previous: StoredSecrets,
  mustReenter: boolean,
): SealedSecrets {
  const { required, optional } = destination.secretNames;
  const names = [...required, ...optional];
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new AppError("invalid_request", `${unknown} is not a secret of this destination.`);
  }
  const stored: StoredSecrets = {};
  const generated: Record<string, string> = {};
  for (const name of names) {
    const entered = given[name]?.trim() || undefined;
    const kept = previous[name];
    if (entered !== undefined) {
      const value = destination.parseSecret(name, entered);
      const expiresAt = destination.secretExpiresAt(name, value);
      stored[name] = sealSecret(owner, name, value, kept, expiresAt);
    } else if (kept && !mustReenter) {
      stored[name] = kept;
      const before = previous[PREVIOUS + name];
      if (before) stored[PREVIOUS + name] = before;
    } else {
      const made = kept ? null : destination.generateSecret(name);
      if (made === null) {
        if (!kept && optional.includes(name)) continue;
        throw missingSecret(name, Boolean(kept));
      }
      generated[name] = made;
      stored[name] = sealSecret(owner, name, made);
    }
  }
  return { stored, generated };
}

function missingSecret(name: string, hostChanged: boolean): AppError {
  const message = hostChanged
    ? "They would go to another host or another certificate. Enter the secrets again, so that none reaches what it was not meant for."
    : "A secret is missing.";
  return new AppError("invalid_request", message, {
    errors: [
      { field: `secrets.${name}`, code: hostChanged ? "Enter it again." : "Enter a value." },
    ],
  });
}
