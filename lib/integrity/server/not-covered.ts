import type { Trust } from "./checkpoint-check";

interface Walked {
  trust: Trust | null;
  firstSeq: number;
  nextSeq: number;
  /** Size of the last checkpoint that the rows meet; 0 for none. */
  signedTo: number;
  /** Earlier events were verified before. */
  isSince: boolean;
  /** What earlier epochs lost, in sentences. */
  losses: readonly string[];
  prunedReceipts: number;
  /** Pruned events that are still there, and were checked too. */
  unfinished: number;
}

/** What a walk could not say, in sentences. */
export function notCovered(walked: Walked): string[] {
  const { trust, firstSeq, nextSeq, signedTo, isSince, losses, prunedReceipts, unfinished } =
    walked;
  const sentences: string[] = [];
  const say = (sentence: string) => sentences.push(sentence);
  const later = nextSeq - Math.max(signedTo, firstSeq);
  if (!trust) say("No checkpoint was looked at: this log was never signed here.");
  else if (later > 0) say(`${later} event(s) are newer than the newest checkpoint.`);
  if (isSince)
    say(
      `Events below #${firstSeq} were verified before. Lists of targets and counts were not compared: a whole verification does.`,
    );
  else if (firstSeq > 0) say(`${firstSeq} event(s) were pruned.`);
  if (unfinished > 0) say(`${unfinished} of them are still there: their removal is not finished.`);
  sentences.push(...losses);
  if (prunedReceipts > 0) say(`${prunedReceipts} receipt(s) are of pruned events.`);
  sentences.push(...(trust?.gaps ?? []));
  if (!trust?.checkpoints?.length)
    say(
      "No checkpoint kept elsewhere was given: whoever has the signing key could sign another history.",
    );
  if (!trust?.receipts?.length) say("No receipt was given.");
  return sentences;
}
