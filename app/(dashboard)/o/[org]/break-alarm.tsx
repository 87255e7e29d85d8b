import { ShieldAlert } from "lucide-react";
import Link from "next/link";
import { Suspense } from "react";
import { formatSeq, refusalSentence } from "@/components/integrity/words";
import type { Scope } from "@/lib/auth/scope";
import { damageWords } from "@/lib/integrity/damage-words";
import { readBreak } from "@/lib/integrity/server/log-watch";
import { readRefusal } from "@/lib/integrity/server/signer";
import { log } from "@/lib/log";

/** Says on every page that the log is broken; the page waits for nothing. */
export function BreakAlarm(props: { scope: Scope }) {
  return (
    <Suspense>
      <Alarm {...props} />
    </Suspense>
  );
}

async function Alarm({ scope }: { scope: Scope }) {
  let words: string;
  try {
    const [found, refusal] = await Promise.all([readBreak(scope), readRefusal(scope)]);
    if (!found && !refusal) return null;
    const place = found && found.seq !== null ? ` at ${formatSeq(found.seq)}` : "";
    words = [
      ...(found ? [`This log does not verify${place}: ${damageWords(found.kind)}.`] : []),
      ...(refusal
        ? [
            `Nothing is signed: ${refusalSentence(refusal)} After a restore that lost them, run trailseal epoch begin.`,
          ]
        : []),
    ].join(" ");
  } catch (error) {
    log().error({ err: error }, "the state of the chain could not be read");
    words = "Whether this log verifies could not be read.";
  }
  return (
    <div
      role="status"
      data-testid="break-alarm"
      className="flex shrink-0 gap-2 border-b border-(--in-failed-line) bg-(--in-failed-tint) px-4 py-2 text-(--in-failed)"
    >
      <ShieldAlert size={16} aria-hidden="true" className="mt-0.5 shrink-0" />
      <p className="max-w-[110ch]">
        {words}{" "}
        <Link
          href={`/o/${scope.organizationId}/integrity`}
          className="font-medium underline underline-offset-2 max-sm:inline-block max-sm:py-2"
        >
          What happened, and what is still proven
        </Link>
      </p>
    </div>
  );
}
