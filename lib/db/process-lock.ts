import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { z } from "zod";

const holderSchema = z.object({
  pid: z.number().int().positive(),
  /** Start time of that process, so that a reused pid is not mistaken for the holder. */
  started: z.string(),
  role: z.enum(["server", "cli"]),
});

export type LockHolder = z.infer<typeof holderSchema>;

/** Clock ticks since boot at which a process started; empty where the system does not tell. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function isAlive(holder: LockHolder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return startTime(holder.pid) === holder.started;
}

function readHolder(file: string): LockHolder | null {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** The live process that holds `file`, if any. */
export function lockHolder(file: string): LockHolder | null {
  const holder = readHolder(file);
  return holder && isAlive(holder) ? holder : null;
}

/**
 * Takes the lock of a data directory. A lock whose holder died is taken over.
 * @returns a function that gives it back, or the live holder.
 */
export function takeLock(file: string, role: LockHolder["role"]): (() => void) | LockHolder {
  const mine: LockHolder = { pid: process.pid, started: startTime(process.pid), role };
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
      return () => {
        if (readHolder(file)?.pid === process.pid) unlinkSync(file);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(file);
    if (holder && isAlive(holder)) return holder;
    setAside(file, holder);
  }
}

/** Moves a dead holder's file away; if a live one slipped in between, puts that one back. */
function setAside(file: string, dead: LockHolder | null): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved && moved.pid !== dead?.pid && isAlive(moved)) renameSync(aside, file);
  else unlinkSync(aside);
}
