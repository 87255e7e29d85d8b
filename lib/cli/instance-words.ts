import type { InstanceVerdict } from "@/lib/integrity/server/verify-instance";
import { verdictWords } from "./verdict-words";

const count = (value: number) => value.toLocaleString("en-US");

/**
 * What a verification of every log found, and what to do about it.
 * @param source what the database was restored from, for the reason of an epoch
 */
export function instanceWords(
  { ok, logs, missing, directory }: InstanceVerdict,
  source: string,
): string[] {
  const lost = logs.flatMap(({ organizationId, loss }) => {
    if (!loss) return [];
    const { startSeq, signedSize, lost: gone } = loss;
    const what =
      gone > 0
        ? `${count(gone)} events that were signed are not in the database: #${startSeq} to #${signedSize - 1}.`
        : "Other events than those that were signed are in the database.";
    return [
      `${organizationId}: ${what} Restore a newer backup, or let the log go on without them:`,
      `  trailseal epoch begin --org ${organizationId} --reason "restored from ${source}"`,
    ];
  });
  const isDirectoryAlone = !directory.ok && directory.findings.length > 0 && lost.length === 0;
  return [
    ...logs.map(({ organizationId, verdict }) => `${organizationId}: ${verdictWords(verdict)}`),
    ...directory.findings
      .filter(({ kind }) => kind !== "nothing_checked")
      .map(
        ({ origin, kind, detail }) => `${origin ?? "The directory of logs"}: ${kind}: ${detail}`,
      ),
    ...lost,
    ...missing.map(
      ({ organizationId, signedSize }) =>
        `${organizationId}: the whole log is not in the database; ${count(signedSize)} of its events were signed. Restore a newer backup; or accept the loss by removing signer/${organizationId}.json from the data directory.`,
    ),
    ...(isDirectoryAlone && directory.findings[0]?.kind === "truncated_tail"
      ? ["The directory of logs goes on after: trailseal epoch directory"]
      : []),
    ok ? "Every log is verified." : "Not everything is there: see above.",
  ];
}
