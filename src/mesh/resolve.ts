import type { CancelSignal } from "../kit/cancel-signal.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import { RESOLVE_RETRIES_MAX, RESOLVE_RETRY_DELAY_MS } from "./limits.ts";
import type { InvocationTarget } from "./target.ts";

/**
 * The internal gRPC address of a target whose resolver has answered with nothing.
 *
 * @throws what `resolve` threw, or an Error when it never had an address
 */
export async function askAgain(
  resolve: () => string | Promise<string>,
  target: InvocationTarget,
  clock: Clock,
  signal: CancelSignal | undefined,
): Promise<string> {
  for (let retries = 0; retries < RESOLVE_RETRIES_MAX; retries += 1) {
    await sleep(clock, RESOLVE_RETRY_DELAY_MS, signal);
    const address = await resolve();
    if (address !== "") {
      return address;
    }
  }
  throw new Error(`resolver returned empty address for app id ${target.namespace}/${target.appId}`);
}
