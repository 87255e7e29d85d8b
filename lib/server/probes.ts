import { timingSafeEqual } from "node:crypto";
import type http from "node:http";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { sha256 } from "@/lib/chain/sha256";
import { readPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { log } from "@/lib/log";
import { renderMetrics } from "@/lib/operations/metrics";
import { readRequestCounts } from "@/lib/operations/server/http-counts";
import { readOperations } from "@/lib/operations/server/operations";
import { refuse } from "./refuse";

type Probe = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  isStarted: boolean,
) => void;

const READY_WITHIN_MS = 2_000;

function answer(response: http.ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}

const notFound = { status: 404, code: "not_found", message: "There is nothing here." };

/** Whether the process lives: a restart helps where it does not. */
const alive: Probe = (_request, response, isStarted) =>
  answer(response, isStarted ? 200 : 503, { status: isStarted ? "ok" : "starting" });

/** Whether requests would be served: traffic goes elsewhere while they would not. */
const ready: Probe = (_request, response, isStarted) => {
  if (!isStarted) {
    answer(response, 503, { status: "starting" });
    return;
  }
  const late = new Promise((_resolve, reject) =>
    setTimeout(() => reject(new Error("late")), READY_WITHIN_MS).unref(),
  );
  Promise.race([readPool().query("SELECT 1"), late]).then(
    () => answer(response, 200, { status: "ok" }),
    () => answer(response, 503, { status: "database unavailable" }),
  );
};

function isMonitor({ headers }: http.IncomingMessage, token: string): boolean {
  const given = /^Bearer (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(sha256(given), sha256(token));
}

const metrics: Probe = (request, response, isStarted) => {
  const { TRAILSEAL_METRICS_TOKEN: token } = getEnv();
  if (!token || !isStarted) {
    refuse(response, notFound);
    return;
  }
  if (!isMonitor(request, token)) {
    refuse(response, {
      status: 401,
      code: "unauthorized",
      message: "Send TRAILSEAL_METRICS_TOKEN as Authorization: Bearer.",
      headers: { "WWW-Authenticate": "Bearer" },
    });
    return;
  }
  readOperations(systemInstanceScope("worker"), process.cwd()).then(
    (operations) => {
      response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(renderMetrics(operations, readRequestCounts(), Date.now()));
    },
    (error) => {
      log().error({ err: error }, "the metrics could not be read");
      refuse(response, {
        status: 503,
        code: "unavailable",
        message: "The database does not answer.",
      });
    },
  );
};

/** Asked by machines that watch this one, and answered before anything else. */
export const probes: Readonly<Record<string, Probe>> = {
  "/healthz": alive,
  "/readyz": ready,
  "/metrics": metrics,
};
