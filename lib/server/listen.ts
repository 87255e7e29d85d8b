import type http from "node:http";

const PORTS_TRIED = 50;

/**
 * Listens on `port`, or the next free one.
 * @returns the port in use.
 */
export async function listen(
  server: http.Server,
  port: number,
  host: string | undefined,
): Promise<number> {
  for (let candidate = port; candidate < port + PORTS_TRIED; candidate += 1) {
    const bound = await tryListen(server, candidate, host);
    if (bound !== null) return bound;
  }
  throw new Error(`Ports ${port} to ${port + PORTS_TRIED - 1} are all in use. Set PORT.`);
}

function tryListen(
  server: http.Server,
  port: number,
  host: string | undefined,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      server.removeListener("listening", succeed);
      if (error.code === "EADDRINUSE") resolve(null);
      else reject(error);
    };
    const succeed = () => {
      server.removeListener("error", fail);
      resolve((server.address() as { port: number }).port);
    };
    server.once("error", fail);
    server.once("listening", succeed);
    server.listen({ port, host });
  });
}
