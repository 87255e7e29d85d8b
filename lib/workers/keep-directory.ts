import { raiseAlert } from "@/lib/alerts/server/alerts";
import { systemScope } from "@/lib/auth/server/system-scope";
import { longPool } from "@/lib/db/pool";
import { updateDirectory } from "@/lib/integrity/server/directory";
import { verifyDirectory } from "@/lib/integrity/server/directory-check";
import { log } from "@/lib/log";
import { pause } from "./pause";

/** One checkpoint a minute covers every log (integrity spec §2). */
const INTERVAL_MS = 60_000;
const TURNS_BETWEEN_CHECKS = 15;

/** Signs the directory of all logs each minute, and recomputes it now and then. What it finds is told once. */
export async function keepDirectory(signal: AbortSignal): Promise<void> {
  let told = "";
  for (let turn = 0; !signal.aborted; turn += 1) {
    await pause(INTERVAL_MS, signal);
    if (signal.aborted) return;
    const update = await updateDirectory();
    if (update.kind === "refused")
      log().error(
        { signed_size: update.signedSize },
        "the directory of logs does not extend what was signed: nothing is signed for it",
      );
    if (turn % TURNS_BETWEEN_CHECKS !== 0) continue;
    const { findings } = await verifyDirectory();
    const damage = findings.filter(({ kind }) => kind !== "nothing_checked");
    const words = damage.map(({ kind, origin, detail }) => `${kind} ${origin ?? ""}: ${detail}`);
    if (words.length > 0 && words.join() !== told) {
      log().error({ findings: damage }, "the directory of logs does not verify");
      await raiseAlert(longPool(), systemScope("worker", "_instance"), {
        kind: "integrity.broken",
        title: "The directory of logs does not verify",
        detail: words.slice(0, 10).join("\n"),
        path: "/o",
      });
    }
    told = words.join();
  }
}
