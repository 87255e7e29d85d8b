import type { TailEnd, TailRow, TailStep } from "@/lib/events/tail";

export type TailLink = "connecting" | "live" | "polling";

const POLL_MS = 5_000;
/** Polls after which server-sent events are tried again. */
const POLLS = 12;
const RETRY_MS = 2_000;
const MAX_FAILURES = 2;
/** A server that is reached speaks at once; later at least every 15 seconds. */
const FIRST_WORD_MS = 5_000;
const SILENCE_MS = 40_000;
const MAX_HIDDEN_MS = 600_000;

interface Listener {
  onStep(step: TailStep): void;
  onLink(link: TailLink): void;
  /** It will not come back by itself. */
  onEnd(reason: string): void;
}

/**
 * Follows an organization's log from the number `after` on: by server-sent events, or, where those do not come
 * through, by asking every five seconds. While the page is hidden nothing is asked (a browser has six
 * connections per host, and every tab would take one); once it is shown again, what came meanwhile follows.
 * @param address of the tail's handler, with the search.
 * @returns a function that ends it.
 */
export function openTail(address: string, after: number, listener: Listener): () => void {
  let seq = after;
  let failures = 0;
  let polls = 0;
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hiddenMs: number | null = null;
  /** Answers to a question asked before this changed are let go. */
  let turn = 0;

  const stop = () => {
    turn += 1;
    source?.close();
    source = null;
    clearTimeout(timer);
  };
  const next = (work: () => void, delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(work, delayMs);
  };
  const close = () => {
    stop();
    document.removeEventListener("visibilitychange", onVisibility);
  };
  const finish = (reason: string) => {
    close();
    listener.onEnd(reason);
  };
  const urlOf = (parameters: Record<string, string>) => {
    const url = new URL(address, location.origin);
    url.searchParams.set("from_seq", String(seq));
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  };

  const fail = () => {
    stop();
    listener.onLink("connecting");
    failures += 1;
    polls = 0;
    next(failures < MAX_FAILURES ? connect : poll, RETRY_MS);
  };

  function connect() {
    stop();
    listener.onLink("connecting");
    const stream = new EventSource(urlOf({}));
    source = stream;
    next(fail, FIRST_WORD_MS);
    const on = <T>(kind: string, take: (data: T) => void) =>
      stream.addEventListener(kind, (event: MessageEvent<string>) => {
        failures = 0;
        seq = Number(event.lastEventId);
        next(fail, SILENCE_MS);
        listener.onLink("live");
        take(JSON.parse(event.data) as T);
      });
    on("heartbeat", () => {});
    on<TailRow[]>("events", (rows) => listener.onStep({ seq, rows, skipped: null }));
    on<TailStep["skipped"]>("skipped", (skipped) => listener.onStep({ seq, rows: [], skipped }));
    on<{ reason: TailEnd }>("end", ({ reason }) => {
      if (reason === "session") finish("Your session has ended. Sign in again.");
      else {
        stop();
        next(connect, reason === "limit" ? 0 : RETRY_MS);
      }
    });
    stream.onerror = fail;
  }

  async function poll() {
    const mine = ++turn;
    try {
      const response = await fetch(urlOf({ poll: "1" }), { cache: "no-store" });
      const answer = (await response.json()) as TailStep & { message?: string };
      if (mine !== turn) return;
      if (response.status >= 400 && response.status < 500)
        return finish(answer.message ?? "The server refused.");
      if (!response.ok) throw new Error(answer.message);
      seq = answer.seq;
      listener.onLink("polling");
      listener.onStep(answer);
    } catch {
      if (mine !== turn) return;
      listener.onLink("connecting");
    }
    polls += 1;
    next(polls < POLLS ? poll : connect, POLL_MS);
  }

  function onVisibility() {
    if (document.hidden) {
      stop();
      hiddenMs ??= Date.now();
    } else if (hiddenMs !== null && Date.now() - hiddenMs > MAX_HIDDEN_MS) {
      finish("Stopped after ten minutes in the background.");
    } else {
      hiddenMs = null;
      failures = 0;
      connect();
    }
  }

  document.addEventListener("visibilitychange", onVisibility);
  onVisibility();
  return close;
}
