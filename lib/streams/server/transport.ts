import type { HttpRequest, ReadTransport, Reply, TlsOptions } from "../destination";
import { connectSocket, exchange, type Trace } from "./egress";
import { retryAfterS } from "./failures";

/** Tokens of all streams of this process, by stream and name. */
const kept = new Map<string, { value: unknown; expiresAt: Date }>();

/** The way out of one send: guarded, with a deadline, and with what was seen on it. */
export class GuardedTransport implements ReadTransport {
  readonly signal: AbortSignal;
  /** The newest answer that may be shown; null before there is one. */
  reply: Reply | null = null;
  readonly #started = performance.now();

  /**
   * @param owner whose tokens are kept together; another configuration is another owner.
   * @param deadlineMs of every request
   * @param signalOfAll the same deadline when absent
   */
  constructor(
    private readonly owner: string,
    private readonly deadlineMs: number,
    private readonly trace?: Trace,
    private readonly signalOfAll?: AbortSignal,
  ) {
    this.signal = signalOfAll ?? AbortSignal.timeout(deadlineMs);
  }

  async http(request: HttpRequest): Promise<Reply> {
    const { bytes: _, ...reply } = await this.download(request);
    if (!request.confidential || reply.status >= 300) this.reply = reply;
    return reply;
  }

  async download(request: HttpRequest, maxReplyBytes?: number): Promise<Reply & { bytes: Buffer }> {
    const { deadlineMs, signalOfAll, trace } = this;
    const signal = signalOfAll
      ? AbortSignal.any([AbortSignal.timeout(deadlineMs), signalOfAll])
      : this.signal;
    const { status, headers, body, bytes } = await exchange(request, {
      deadlineMs,
      signal,
      ...(trace ? { trace } : {}),
      ...(maxReplyBytes ? { maxReplyBytes } : {}),
    });
    return { status, headers, body, bytes, retryAfterS: retryAfterS(headers["retry-after"]) };
  }

  connect(host: string, port: number, tls: TlsOptions | null) {
    const { signal, trace } = this;
    return connectSocket(host, port, tls, { signal, ...(trace ? { trace } : {}) });
  }

  async cached<T>(name: string, make: () => Promise<{ value: T; expiresAt: Date }>): Promise<T> {
    const key = `${this.owner} ${name}`;
    const known = kept.get(key);
    if (known && known.expiresAt.getTime() > Date.now()) return known.value as T;
    const made = await make();
    for (const [other, { expiresAt }] of kept)
      if (expiresAt.getTime() <= Date.now()) kept.delete(other);
    kept.set(key, made);
    return made.value;
  }

  forget(name: string): void {
    kept.delete(`${this.owner} ${name}`);
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.#started);
  }
}
