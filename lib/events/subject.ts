import { z } from "zod";

/** Whose timeline: an actor or a target, written `type:id` in a URL; an id may hold further colons. */
export interface Subject {
  role: "actor" | "target";
  type: string;
  id: string;
}

const textSchema = z
  .string()
  .min(3)
  .max(1_300)
  .regex(/^[^:]+:./);

/** @returns null unless exactly one of `actor` and `target` is given and well-formed. */
export function parseSubject(params: { actor?: unknown; target?: unknown }): Subject | null {
  const roles = (["actor", "target"] as const).filter((role) => params[role] !== undefined);
  const [role] = roles;
  if (roles.length !== 1 || !role) return null;
  const text = textSchema.safeParse(params[role]);
  if (!text.success) return null;
  const colon = text.data.indexOf(":");
  return { role, type: text.data.slice(0, colon), id: text.data.slice(colon + 1) };
}
