import type { OriginAt } from "../classify";
import type { Snapshot } from "./snapshot";

/**
 * Epochs of a log. After a restore that lost events, or a stolen key, a log goes on under a new origin: events
 * from `startSeq` on are sealed under it, those before stay as they are (integrity spec §2, Keys). The first
 * event of an epoch says what it goes on from; the signer signs that only after somebody confirmed it.
 */

export const EPOCH_STARTED = "trailseal.epoch_started";

export interface Epoch {
  number: number;
  startSeq: number;
  origin: string;
  /** Checkpoints of it up to this size hold; later ones are of events that are lost, or void. */
  holdsTo: number;
  /** What its signer had signed when the next one began. */
  signedTo: number;
}

/** What the first event of an epoch says, in its metadata. */
interface EpochEvent {
  epoch?: string;
  previous_origin?: string;
  /** Size of the last checkpoint that the surviving events meet; "0" for none. */
  last_good_size?: string;
  signed_size?: string;
}

export const epochOrigin = (first: string, number: number): string =>
  number === 1 ? first : `${first}/e${number}`;

/** The origin under which the event of a number is sealed. @param epochs by their start, never empty */
export function originAtOf(epochs: readonly Pick<Epoch, "startSeq" | "origin">[]): OriginAt {
  return (seq) => {
    for (let at = epochs.length - 1; at > 0; at -= 1) {
      const epoch = epochs[at] as Epoch;
      if (seq >= epoch.startSeq) return epoch.origin;
    }
    return (epochs[0] as Epoch).origin;
  };
}

export class Epochs {
  private constructor(
    readonly list: readonly Epoch[],
    /** Why the table cannot be right; null when it can. */
    readonly problem: string | null,
  ) {
    this.originAt = originAtOf(list);
  }

  static async load(
    snapshot: Snapshot,
    head: { origin: string; nextSeq: number; firstSeq: number },
  ): Promise<Epochs> {
    const rows = await snapshot.query(
      "SELECT epoch, start_seq, origin FROM log_epochs WHERE organization_id = $1 ORDER BY epoch",
    );
    const last = { holdsTo: Number.MAX_SAFE_INTEGER, signedTo: Number.MAX_SAFE_INTEGER };
    if (rows.length === 0)
      return new Epochs([{ number: 1, startSeq: 0, origin: head.origin, ...last }], null);
    const list = rows.map(([number, startSeq, origin]) => ({
      number: Number(number),
      startSeq: Number(startSeq),
      origin: origin as string,
      ...last,
    }));
    let problem = orderOf(list, head);
    for (const [at, epoch] of list.entries()) {
      const previous = list[at - 1];
      if (!previous) continue;
      if (epoch.startSeq < head.firstSeq) {
        // Its event was pruned, together with all that is older.
        previous.holdsTo = epoch.startSeq;
        continue;
      }
      const said = await readEpochEvent(snapshot, epoch.startSeq);
      const isRight =
        said?.epoch === String(epoch.number) && said.previous_origin === previous.origin;
      if (!isRight) problem ??= `no event begins epoch ${epoch.number}`;
      previous.holdsTo = Number(said?.last_good_size) || 0;
      previous.signedTo = Number(said?.signed_size) || 0;
    }
    return new Epochs(list, problem);
  }

  readonly originAt: OriginAt;

  of(origin: string): Epoch | undefined {
    return this.list.find((epoch) => epoch.origin === origin);
  }

  get origins(): string[] {
    return this.list.map(({ origin }) => origin);
  }

  /** Each origin, and up to which size its checkpoints hold. */
  holding(): [string[], number[]] {
    return [this.origins, this.list.map(({ holdsTo }) => holdsTo)];
  }

  get current(): Epoch {
    return this.list.at(-1) as Epoch;
  }

  /** Sentences on what earlier epochs lost. */
  losses(): string[] {
    return this.list.slice(1).map((epoch, at) => {
      const { signedTo } = this.list[at] as Epoch;
      const lost = Math.max(0, signedTo - epoch.startSeq);
      const what = lost > 0 ? `; at least ${lost} event(s) that were signed before are lost` : "";
      return `Epoch ${epoch.number} of this log begins at #${epoch.startSeq}${what}.`;
    });
  }
}

function orderOf(list: Epoch[], head: { origin: string; nextSeq: number }): string | null {
  const [first] = list as [Epoch];
  const isInOrder = list.every(
    ({ number, startSeq, origin }, at) =>
      number === at + 1 &&
      origin === epochOrigin(first.origin, number) &&
      (at === 0
        ? startSeq === 0
        : startSeq >= (list[at - 1] as Epoch).startSeq && startSeq < head.nextSeq),
  );
  if (!isInOrder) return "the log's epochs do not follow one another";
  return list.at(-1)?.origin === head.origin ? null : head.origin;
}

async function readEpochEvent(snapshot: Snapshot, seq: number): Promise<EpochEvent | null> {
  const [row] = await snapshot.query(
    "SELECT metadata FROM events WHERE organization_id = $1 AND seq = $2 AND action = $3",
    seq,
    EPOCH_STARTED,
  );
  return row?.[0] ? (JSON.parse(row[0]) as EpochEvent) : null;
}
