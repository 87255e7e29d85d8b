import http from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { guardConnection } from "@/lib/streams/server/egress";

/** A token, a set of keys or what is told of somebody: none is longer, and none takes longer. */
const MAX_BYTES = 1_048_576;
const MAX_MS = 10_000;
const LOOK_MS = 50;

/**
 * For the client that next-auth asks providers with: every connection of it passes the guard of streams, whose
 * reasons hold here, too: organizations say where it goes.
 */
class GuardedAgent extends http.Agent {
  override createConnection(
    asked: http.ClientRequestArgs,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const options = asked as net.TcpNetConnectOpts;
    const { host, port } = options;
    try {
      const authority = `${host?.includes(":") ? `[${host}]` : host}:${port}`;
      const guarded = { ...options, ...guardConnection(`${asked.protocol}//${authority}`) };
      return bounded(asked.protocol === "https:" ? tls.connect(guarded) : net.connect(guarded));
    } catch (refusal) {
      // A socket that was destroyed already would fail before anybody listens to it.
      done?.(refusal as Error, undefined as never);
      return undefined;
    }
  }
}

function bounded(socket: net.Socket): net.Socket {
  const started = performance.now();
  const timer = setInterval(() => {
    if (socket.bytesRead > MAX_BYTES)
      socket.destroy(new Error("The provider's answer is too long."));
    else if (performance.now() - started > MAX_MS)
      socket.destroy(new Error("The provider's answer took too long."));
  }, LOOK_MS);
  socket.once("close", () => clearInterval(timer));
  return socket;
}

/** Serves http and https: Node takes an agent without a protocol of its own for both. */
export const guardedAgent = Object.assign(new GuardedAgent(), { protocol: undefined });
