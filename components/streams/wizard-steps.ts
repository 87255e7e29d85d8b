/** The way to a new stream, in order; the address names the step. */
export const STEPS = [
  { id: "destination", label: "Destination" },
  { id: "credentials", label: "Credentials" },
  { id: "format", label: "Format and filter" },
  { id: "test", label: "Test send" },
  { id: "start", label: "Start point" },
] as const;

export type StepId = (typeof STEPS)[number]["id"];

export const placeOf = (id: string | null): number => STEPS.findIndex((step) => step.id === id);

/** Where the field of a request is entered. */
export function stepOfField(field: string): StepId {
  if (field === "destination") return "destination";
  if (field === "format" || field === "filter") return "format";
  return /^from/.test(field) ? "start" : "credentials";
}
