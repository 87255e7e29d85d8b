import fs from "node:fs";

export const proc = (pid: number | string, file: string) => {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
};

/** A process and everything below it. */
export function processesBelow(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = proc(entry, "stat");
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (parents.has(pid) && isBelow(parents.get(pid) as number));
  return [...parents.keys()].filter(isBelow);
}

const MS_PER_TICK = 10;

/** Processor time of them, and of their children that have ended, milliseconds. */
export function processorMs(pids: number[]): number {
  const [USER, CHILDREN_SYSTEM] = [11, 14];
  const ticks = pids
    .map((pid) => proc(pid, "stat"))
    .flatMap((stat) =>
      stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .slice(USER, CHILDREN_SYSTEM + 1),
    )
    .reduce((sum, field) => sum + Number(field), 0);
  return ticks * MS_PER_TICK;
}
