import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { openDestination } from "../registry";
import type { SavedStream } from "../schema";
import type { RotateSecretInput } from "../work-schema";
import { changeStream } from "./audit";
import { PREVIOUS, sealSecret, storedSecretsSchema } from "./secrets";
import { getStream } from "./streams";

/**
 * Replaces one secret. One that we choose ourselves, as a signing secret is, is used beside the new one for 24 hours,
 * so that the receiver can be changed in between.
 * @throws AppError when the destination has no such secret or its form is wrong
 */
export async function rotateSecret(scope: Scope, input: RotateSecretInput): Promise<SavedStream> {
  const { organizationId } = scope;
  const { id, name } = input;
  const given = input.value?.trim();
  const made = await changeStream(scope, id, "secret_rotated", async (client) => {
    const { rows } = await client.query<{ destination: string; config: unknown; secrets: unknown }>(
      `SELECT destination, config, secrets FROM streams
       WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE`,
      [organizationId, id],
    );
    const [row] = rows;
    if (!row) throw new AppError("not_found", "There is no such stream.");
    const destination = openDestination(row.destination, row.config);
    const { required, optional } = destination.secretNames;
    if (![...required, ...optional].includes(name))
      throw new AppError("invalid_request", `${name} is not a secret of this destination.`);
    const fresh = destination.generateSecret(name);
    const value = given ? destination.parseSecret(name, given) : fresh;
    if (value === null) {
      const code = "Enter the new value: the receiver gives it.";
      throw new AppError("invalid_request", code, { errors: [{ field: "value", code }] });
    }
    const stored = storedSecretsSchema.parse(row.secrets);
    const before = stored[name];
    if (before && fresh !== null) stored[PREVIOUS + name] = before;
    const owner = { organizationId, streamId: id };
    stored[name] = sealSecret(owner, name, value, before, destination.secretExpiresAt(name, value));
    await client.query(
      "UPDATE streams SET secrets = $3, updated_at = now() WHERE organization_id = $1 AND id = $2",
      [organizationId, id, JSON.stringify(stored)],
    );
    // A stream that failed for its secret is tried at once.
    await client.query(
      "UPDATE stream_state SET next_attempt_at = now() WHERE organization_id = $1 AND stream_id = $2",
      [organizationId, id],
    );
    return { result: given ? null : value, metadata: { secret: name } };
  });
  return {
    stream: await getStream(scope, id),
    generatedSecrets: made === null ? {} : { [name]: made },
  };
}
