/** Deterministic synthetic events, for `trailseal seed`, benchmarks and tests: same options, same events. */

export interface SyntheticOptions {
  /** Any integer; another seed gives other events. */
  seed: number;
  /** Latest occurred_at, epoch milliseconds. */
  endMs: number;
  /** How far back events reach, days. */
  days: number;
  actors: number;
  targets: number;
}

interface SyntheticUnit {
  type: string;
  id: string;
  name: string;
  metadata?: Record<string, string | number | boolean>;
}

export interface SyntheticEvent {
  action: string;
  version: number;
  occurred_at: string;
  actor: SyntheticUnit;
  targets: SyntheticUnit[];
  context: { location: string; user_agent: string };
  metadata: Record<string, string | number | boolean>;
}

const NOUNS = [
  "user",
  "session",
  "invoice",
  "project",
  "document",
  "api_key",
  "member",
  "role",
  "webhook",
  "report",
];
const VERBS = ["created", "updated", "deleted", "viewed", "exported", "signed_in"];
const GIVEN = [
  "Priya",
  "Mei",
  "Luis",
  "Amara",
  "Jonas",
  "Noor",
  "Ines",
  "Tomasz",
  "Yuki",
  "Oluwaseun",
  "Zoë",
  "Søren",
];
const FAMILY = [
  "Raman",
  "Tanaka",
  "Ortega",
  "Okafor",
  "Weber",
  "Haddad",
  "Costa",
  "Nowak",
  "Sato",
  "Adeyemi",
  "Müller",
];
const AGENTS = [
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
  "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
  "acme-cli/4.2.1 (linux; amd64)",
];
const REGIONS = ["eu-north-1", "eu-central-1", "us-east-1", "ap-southeast-2"];

/** mulberry32: 32-bit state, good enough to spread test data. */
function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ranks 0…size−1 with probability proportional to 1/(rank+1). */
function zipf(size: number): (random: number) => number {
  const cumulative = new Float64Array(size);
  let total = 0;
  for (let rank = 0; rank < size; rank += 1) {
    total += 1 / (rank + 1);
    cumulative[rank] = total;
  }
  return (random) => {
    const wanted = random * total;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

const pick = <T>(list: readonly T[], random: number): T =>
  list[Math.floor(random * list.length)] as T;
const padded = (value: number, width: number) => String(value).padStart(width, "0");

function person(rank: number): SyntheticUnit {
  const isMachine = rank % 7 === 3;
  const name = isMachine
    ? `deploy-bot-${rank}`
    : `${pick(GIVEN, (rank * 0.37) % 1)} ${pick(FAMILY, (rank * 0.61) % 1)}`;
  return {
    type: isMachine ? "service" : "user",
    id: `${isMachine ? "svc" : "usr"}_${padded(rank, 6)}`,
    name,
    metadata: { role: rank % 11 === 0 ? "admin" : "member", team: `team-${rank % 23}` },
  };
}

/** An endless sequence of events in shuffled time order over the last `days`. */
export function* syntheticEvents(options: SyntheticOptions): Generator<SyntheticEvent, never> {
  const random = randomSource(options.seed);
  const actorRank = zipf(options.actors);
  const targetRank = zipf(options.targets);
  const actionRank = zipf(NOUNS.length * VERBS.length);
  const spanMs = options.days * 86_400_000;
  for (let count = 0; ; count += 1) {
    const action = actionRank(random());
    const noun = NOUNS[action % NOUNS.length] as string;
    const verb = VERBS[Math.floor(action / NOUNS.length)] as string;
    const rank = actorRank(random());
    const targets = Array.from({ length: random() < 0.5 ? 1 : 2 }, (_, position): SyntheticUnit => {
      const target = targetRank(random());
      const type = position === 0 ? noun : "organization_unit";
      return { type, id: `${type}_${padded(target, 7)}`, name: `${type} ${target}` };
    });
    yield {
      action: `${noun}.${verb}`,
      version: 1,
      occurred_at: new Date(options.endMs - Math.floor(random() * spanMs)).toISOString(),
      actor: person(rank),
      targets,
      context: {
        location: `203.0.${rank % 113}.${Math.floor(random() * 200)}`,
        user_agent: pick(AGENTS, random()),
      },
      metadata: {
        request_id: `req_${padded(count, 9)}${Math.floor(random() * 2 ** 32).toString(16)}`,
        region: pick(REGIONS, random()),
        duration_ms: Math.floor(random() * 900),
        denied: random() < 0.02,
      },
    };
  }
}
