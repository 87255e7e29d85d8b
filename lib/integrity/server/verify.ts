import path from "node:path";
import type { Scope } from "@/lib/auth/scope";
import { cancelStatement, inTransaction, longPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import type { Finding, Verdict, VerificationProgress } from "../schema";
import type { Trust } from "./checkpoint-check";
import { LogWalk } from "./log-walk";
import { originsOf, signerTrust } from "./signer";
import { readSigned, type SignedTree, writeSigned } from "./signer-memory";
import { knownPublicKeys } from "./signing-keys";
import { Snapshot } from "./snapshot";
import { configuredWitnesses, readKept } from "./witnesses";

const PROGRESS_INTERVAL_MS = 200;

const verifierDirectory = () => path.join(getEnv().TRAILSEAL_DATA_DIR, "verifier");

export interface VerifyOptions {
  /** Called at least every 250 ms while the log is read. */
  onProgress?: (progress: VerificationProgress) => void;
  signal?: AbortSignal;
  /** Null: checkpoints are not looked at. By default what this host's signer knows. */
  trust?: Trust | null;
  /** Only what came since the last verification that found nothing; the whole log where there was none. */
  isNewestOnly?: boolean;
  /** Looks at every row by itself, which takes longer and says the same. */
  isRowByRow?: boolean;
}

/**
 * Recomputes an organization's log from the columns that the dashboard shows, in one snapshot, so that events
 * that arrive meanwhile cannot look like damage. Memory does not grow with the log.
 *
 * @returns the verdict; `ok` only when at least one event was checked and nothing was found.
 * @throws the signal's reason when aborted; the driver's error when the database fails. Neither says anything
 * about the log.
 */
export async function verifyLog(scope: Scope, options: VerifyOptions = {}): Promise<Verdict> {
  const started = new Date();
  const progress = (walk: LogWalk): VerificationProgress => {
    const rate = ratePerS(walk.checked, started);
    const left = Math.max(0, walk.total - walk.checked);
    return {
      checked: walk.checked,
      total: walk.total,
      rate_per_s: rate,
      eta_s: rate > 0 ? Math.ceil(left / rate) : null,
    };
  };
  // Before the snapshot, lest what is signed and published meanwhile lies beyond it.
  const trust =
    options.trust === undefined ? await hostTrust(scope, options.isNewestOnly) : options.trust;
  return inTransaction(
    longPool(),
    async (client) => {
      const snapshot = new Snapshot(client, scope.organizationId);
      const since = options.isNewestOnly ? await readVerified(snapshot) : null;
      const { signal, isRowByRow } = options;
      const walk = new LogWalk(snapshot, trust, signal, since ?? undefined, isRowByRow);
      const report = () => options.onProgress?.(progress(walk));
      const timer = setInterval(report, PROGRESS_INTERVAL_MS);
      // A statement may take long or wait for a lock: an abort ends it too. The connection is not given back
      // before that, lest the next statement on it is the one that ends.
      let cancelled: Promise<void> | undefined;
      const cancel = () => {
        cancelled = cancelStatement(longPool().options, client);
      };
      options.signal?.addEventListener("abort", cancel, { once: true });
      try {
        await walk.run();
        report();
        const found = verdict(walk, started);
        if (found.ok) rememberVerified(scope, walk);
        return found;
      } catch (error) {
        options.signal?.throwIfAborted();
        throw error;
      } finally {
        options.signal?.removeEventListener("abort", cancel);
        clearInterval(timer);
        await cancelled;
        await snapshot.settled();
      }
    },
    "ISOLATION LEVEL REPEATABLE READ READ ONLY",
  );
}

/** A host that never signed a log can still hold it against what witnesses keep. */
const withoutMemory = (): Trust | null =>
  configuredWitnesses().length === 0 ? null : { publicKeys: knownPublicKeys(), signedSize: null };

/** What this host knows of a log by itself: its signer's memory, and what its witnesses keep. */
export async function hostTrust(scope: Scope, isNewestOnly = false): Promise<Trust | null> {
  const own = signerTrust(scope) ?? withoutMemory();
  if (!own) return null;
  const kept = await readKept(scope.organizationId, await originsOf(scope), isNewestOnly);
  return { ...own, checkpoints: kept.notes, gaps: kept.gaps };
}

/**
 * What the last verification without a finding saw, kept outside the database; null where a whole one is due:
 * there was none, or the log begins later or under another origin than it did.
 */
async function readVerified(snapshot: Snapshot): Promise<SignedTree | null> {
  const verified = readSigned(verifierDirectory(), snapshot.organizationId);
  if (!verified) return null;
  const [row] = await snapshot.query(
    "SELECT origin, first_seq FROM log_heads WHERE organization_id = $1",
  );
  const isSame = row?.[0] === verified.origin && Number(row[1]) <= verified.tree.size;
  return isSame ? verified : null;
}

function rememberVerified({ organizationId }: Scope, { state }: LogWalk): void {
  if (state) writeSigned(verifierDirectory(), organizationId, state);
}

/** Verifies what the caller's transaction sees. */
export async function verifySnapshot(snapshot: Snapshot, trust: Trust | null): Promise<Verdict> {
  const started = new Date();
  const walk = new LogWalk(snapshot, trust);
  await walk.run();
  await snapshot.settled();
  return verdict(walk, started);
}

function ratePerS(checked: number, since: Date): number {
  const elapsedMs = Math.max(1, Date.now() - since.getTime());
  return Math.round((checked * 1000) / elapsedMs);
}

function worstOf({ findings, checked, isSince }: LogWalk): Finding | null {
  if (findings.worst || checked > 0 || isSince) return findings.worst;
  const nothing: Finding = {
    kind: "nothing_checked",
    seq: null,
    detail: "the log holds no event yet, so there was nothing to verify",
  };
  findings.add(nothing);
  return nothing;
}

function verdict(walk: LogWalk, started: Date): Verdict {
  const worst = worstOf(walk);
  const finished = new Date();
  return {
    ok: worst === null,
    checked: walk.checked,
    first_seq: walk.firstSeq,
    last_seq: walk.lastSeq,
    next_seq: walk.nextSeq,
    first_bad_seq: worst?.seq ?? null,
    kind: worst?.kind ?? null,
    detail: worst?.detail ?? null,
    findings: walk.findings.list(),
    proven_to: walk.lastGood?.size ?? 0,
    last_good: walk.lastGood && { ...walk.lastGood, root: walk.lastGood.root.toString("hex") },
    evidence: walk.evidence,
    not_covered: walk.notCovered,
    findings_truncated: walk.findings.truncated,
    started_at: started.toISOString(),
    finished_at: finished.toISOString(),
    duration_ms: finished.getTime() - started.getTime(),
    rate_per_s: ratePerS(walk.checked, started),
  };
}
