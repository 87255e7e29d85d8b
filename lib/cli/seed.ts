import { type Command, InvalidArgumentError } from "commander";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { parseImportedEvent } from "@/lib/events/schema";
import { Importer, type ImportItem } from "@/lib/events/server/ingest";
import { syntheticEvents } from "@/lib/events/synthetic";
import { createOrganization, getOrganization } from "@/lib/orgs/server/organizations";
import { print } from "./output";

const BATCH = 500;

interface Options {
  org?: string;
  organizations: number;
  events: number;
  seed: number;
  days: number;
  end: Date;
  actors: number;
  targets: number;
  json?: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number above 0.");
  return value;
}

function instant(text: string): Date {
  const value = new Date(text);
  if (Number.isNaN(value.getTime())) throw new InvalidArgumentError("It must be an ISO 8601 time.");
  return value;
}

/** Shares of `events` for organizations of very different size: the first of ten has about a third. */
export function zipfShares(events: number, organizations: number): number[] {
  const weights = Array.from({ length: organizations }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => Math.floor((events * weight) / total));
  shares[0] = (shares[0] ?? 0) + events - shares.reduce((sum, share) => sum + share, 0);
  return shares;
}

/** Stores `events` synthetic events; the same options again store nothing. */
export async function seedOrganization(
  organizationId: string,
  events: number,
  options: Pick<Options, "seed" | "days" | "end" | "actors" | "targets">,
  onProgress: (stored: number) => void = () => undefined,
): Promise<number> {
  const scope = systemScope("cli", organizationId);
  const source = syntheticEvents({ ...options, endMs: options.end.getTime() });
  let stored = 0;
  let done = 0;
  const importer = new Importer(scope, (outcomes) => {
    stored += outcomes.filter(({ duplicate }) => !duplicate).length;
    done += outcomes.length;
    onProgress(done);
  });
  for (let first = 0; first < events; first += BATCH) {
    const batch: ImportItem[] = [];
    for (let at = first; at < Math.min(first + BATCH, events); at += 1) {
      const parsed = parseImportedEvent(source.next().value);
      if (!parsed.ok)
        throw new Error(`A synthetic event is not valid: ${JSON.stringify(parsed.errors)}`);
      batch.push({ event: parsed.value, format: "synthetic", sourceId: `${options.seed}/${at}` });
    }
    await importer.add(batch);
  }
  await importer.finish();
  return stored;
}

export function register(program: Command): void {
  program
    .command("seed")
    .description(
      "Store synthetic events, for trying things out and measuring. The same options give the same events.",
    )
    .option("--org <id>", "into this organization; without it, new ones are created")
    .option("--organizations <n>", "how many organizations to create", positive, 1)
    .option(
      "--events <n>",
      "events in all; the largest organization gets the most",
      positive,
      10_000,
    )
    .option("--seed <n>", "another number gives other events", positive, 1)
    .option("--days <n>", "how far back they reach", positive, 90)
    .option(
      "--end <time>",
      "time of the latest event",
      instant,
      new Date(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`),
    )
    .option("--actors <n>", "distinct actors", positive, 2_000)
    .option("--targets <n>", "distinct targets", positive, 20_000)
    .option("--json", "print JSON")
    .action(async (options: Options, command: Command) => {
      if (options.org && options.organizations > 1)
        command.error("error: give either --org or --organizations");
      const shares = zipfShares(options.events, options.org ? 1 : options.organizations);
      const ids: string[] = [];
      let stored = 0;
      for (const [rank, share] of shares.entries()) {
        const id =
          options.org ??
          (await createOrganization(systemInstanceScope("cli"), { name: `Synthetic ${rank + 1}` }))
            .id;
        await getOrganization(systemScope("cli", id));
        ids.push(id);
        const report = (done: number) =>
          process.stderr.isTTY &&
          process.stderr.write(
            `\r\x1b[K${id}: ${done.toLocaleString("en-US")} of ${share.toLocaleString("en-US")}`,
          );
        stored += await seedOrganization(
          id,
          share,
          { ...options, seed: options.seed + rank },
          report,
        );
      }
      if (process.stderr.isTTY) process.stderr.write("\n");
      const summary = { organizations: ids, stored, already_there: options.events - stored };
      print(
        options.json,
        summary,
        `${stored} stored, ${options.events - stored} already there in ${ids.join(", ")}`,
      );
    });
}
