import { get } from "node:http";
import { sleep, type Clock } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { HostProcess } from "./host-process.ts";

const TIMEOUT_SECONDS = 60;
const REQUEST_TIMEOUT_MS = 500;
const PERIOD_MS = 100;
const COMPLAINT_INTERVAL_MS = 1_000;

/** Asks once; rejects with what is wrong. */
export type OutboundProbe = (url: string) => Promise<void>;

/**
 * `--wait`: returns when the sidecar on `httpPort` can make calls, or after a minute. Either way the exit code is 0, which
 * is daprd's (pkg/runtime/wait.go); texts are daprd's too.
 */
export async function waitUntilOutboundReady(
  httpPort: string,
  host: HostProcess,
  clock: Clock,
  probe: OutboundProbe = probeOnce,
): Promise<void> {
  const url = `http://localhost:${httpPort}/v1.0/healthz/outbound`;
  host.err(`Waiting for Dapr to be outbound ready (timeout: ${TIMEOUT_SECONDS} seconds): url=${url}\n\n`);
  const startMs = clock.monotonicMs();
  let complainAtMs = startMs;
  let problem = "";
  while (clock.monotonicMs() - startMs < TIMEOUT_SECONDS * 1000) {
    try {
      await probe(url);
      host.err("Dapr is outbound ready!\n");
      return;
    } catch (error) {
      problem = errorMessage(error);
    }
    if (clock.monotonicMs() >= complainAtMs) {
      complainAtMs = clock.monotonicMs() + COMPLAINT_INTERVAL_MS;
      host.err(`Dapr outbound NOT ready yet: ${problem}\n`);
    }
    await sleep(clock, PERIOD_MS);
  }
  host.err(`timeout waiting for Dapr to become outbound ready. Last error: ${problem}\n`);
}

function probeOnce(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: REQUEST_TIMEOUT_MS, agent: false }, (response) => {
      response.resume();
      response.once("end", () =>
        response.statusCode === 204 ? resolve() : reject(new Error(`HTTP status code ${response.statusCode}`)),
      );
    });
    request.once("timeout", () => request.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)));
    request.once("error", reject);
  });
}
