import { formatCount } from "@/components/integrity/words";
import type { ActionSchema, Trial } from "@/lib/schemas/schema";

/** "Would reject 3 of the last 1,000 events." and whatever makes that less than it sounds. */
export function trialSentence({ checked, rejected, unchecked, reach }: Trial): string {
  const left =
    unchecked > 0
      ? ` ${formatCount(unchecked)} more were left out: a text in them is too long to match here.`
      : "";
  if (checked === 0)
    return unchecked > 0
      ? `No event could be checked.${left}`
      : "No event of this action in this organization yet: nothing to hold it against.";
  if (reach === "all" && checked === 1 && unchecked === 0)
    return `Would ${rejected === 0 ? "accept" : "reject"} the only event here.`;
  const some =
    rejected === 0 ? "none of" : rejected === checked ? "all" : `${formatCount(rejected)} of`;
  const those =
    reach === "all" ? `${formatCount(checked)} events here` : `last ${formatCount(checked)} events`;
  const stopped = reach === "time" ? " The check stopped there, after a second." : "";
  return `Would reject ${some} the ${those}.${stopped}${left}`;
}

/** When a new version begins to matter. */
export function versionSentence(version: number): string {
  return version === 1
    ? "Events that name no version are of version 1: within five seconds they are held against it, in every organization of this instance."
    : `Only events sent with version ${version} are held against it. Events of other versions, and those without one, which are of version 1, are checked as before.`;
}

/** Schema as the API takes it, for people. */
export function schemaText({
  targets,
  actor,
  metadata,
}: Pick<ActionSchema, "targets" | "actor" | "metadata">): string {
  const present = {
    targets: targets.map(({ type, metadata: own }) => (own ? { type, metadata: own } : { type })),
    ...(actor ? { actor } : {}),
    ...(metadata ? { metadata } : {}),
  };
  return JSON.stringify(present, null, 2);
}

/** "invoice, team". */
export function targetTypes({ targets }: Pick<ActionSchema, "targets">): string {
  return targets.map(({ type }) => type).join(", ");
}
