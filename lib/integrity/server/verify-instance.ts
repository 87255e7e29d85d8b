import fs from "node:fs/promises";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { longPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { Verdict, VerificationProgress } from "../schema";
import { type EpochPlan, planEpoch } from "./begin-epoch";
import { DIRECTORY } from "./directory";
import { type DirectoryVerdict, verifyDirectory } from "./directory-check";
import { signerDirectory } from "./signer";
import { readSigned } from "./signer-memory";
import { recordVerification } from "./verification-jobs";
import { verifyLog } from "./verify";

interface LogVerdict {
  organizationId: string;
  verdict: Verdict;
  /** What a new epoch would record; null where the log has all that was signed, or is broken otherwise. */
  loss: EpochPlan | null;
}

export interface InstanceVerdict {
  ok: boolean;
  logs: LogVerdict[];
  /** Logs that were signed and are not there, as those that are younger than a backup. */
  missing: { organizationId: string; signedSize: number }[];
  directory: DirectoryVerdict;
}

/** An empty log, or a directory of none, is no damage. */
const isSound = ({ ok, kind }: { ok: boolean; kind: string | null | undefined }) =>
  ok || kind === "nothing_checked";

/** Verifies every log, as after a restore, against what this host's signer and its witnesses know. */
export async function verifyInstance(
  _scope: InstanceScope,
  onProgress: (progress: VerificationProgress) => void = () => undefined,
): Promise<InstanceVerdict> {
  const { rows } = await longPool().query<{ organization_id: string }>(
    "SELECT organization_id FROM log_heads ORDER BY 1",
  );
  const logs: LogVerdict[] = [];
  for (const { organization_id: organizationId } of rows) {
    const scope = systemScope("cli", organizationId);
    const verdict = await verifyLog(scope, { onProgress });
    await recordVerification(scope, verdict);
    logs.push({ organizationId, verdict, loss: isSound(verdict) ? null : await lossOf(scope) });
  }
  const missing = await missingLogs(new Set(rows.map((row) => row.organization_id)));
  const directory = await verifyDirectory();
  const isWhole = isSound({ ok: directory.ok, kind: directory.findings[0]?.kind });
  const ok = logs.every(({ verdict }) => isSound(verdict)) && missing.length === 0 && isWhole;
  return { ok, logs, missing, directory };
}

async function lossOf(scope: Scope): Promise<EpochPlan | null> {
  try {
    return await planEpoch(scope);
  } catch (error) {
    if (error instanceof AppError && error.code === "conflict") return null;
    throw error;
  }
}

async function missingLogs(present: Set<string>): Promise<InstanceVerdict["missing"]> {
  const names = await fs.readdir(signerDirectory()).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith(".json") && name !== "keys.json")
    .map((name) => name.slice(0, -".json".length))
    .filter((log) => log !== DIRECTORY && !present.has(log))
    .map((organizationId) => ({
      organizationId,
      signedSize: readSigned(signerDirectory(), organizationId)?.tree.size ?? 0,
    }));
}
