import { Ajv, type CodeOptions, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

/** @param code how patterns are matched, where the plain RegExp will not do */
export function makeAjv(code: CodeOptions = {}): Ajv {
  const ajv = new Ajv({ allErrors: true, strict: false, verbose: false, code });
  addFormats.default(ajv);
  return ajv;
}

type Unit = Record<string, unknown>;

/** The parts of an event that a schema may speak of. */
export interface Checked {
  actor: Unit;
  targets: Unit[];
  metadata: Unit | null;
}

/** What is wrong with an event by a schema made of `eventSchemaOf`; pointers are relative to the event. */
export function findingsOf(validate: ValidateFunction, event: Checked): ErrorObject[] {
  // Metadata that is left out is held against the schema as if it were empty: it may be required.
  const withMetadata = (unit: Unit) => ({ ...unit, metadata: unit.metadata ?? {} });
  const isValid = validate({
    actor: withMetadata(event.actor),
    targets: event.targets.map(withMetadata),
    metadata: event.metadata ?? {},
  });
  return isValid ? [] : (validate.errors ?? []).filter(isFinding);
}

/** That no target is of a type says enough; why each is not, and that a condition applied, does not help. */
const isFinding = ({ keyword, schemaPath }: ErrorObject) =>
  keyword !== "if" && !/^#\/properties\/targets\/allOf\/\d+\/contains\//.test(schemaPath);
