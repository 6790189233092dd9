import type { NameResolver } from "../components/spi/name-resolution.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import { RESOLVE_RETRIES_MAX, RESOLVE_RETRY_DELAY_MS } from "./limits.ts";
import type { InvocationTarget } from "./target.ts";

/**
 * The internal gRPC address of a target. Caching is the resolver's own; one that answers with nothing is asked again.
 *
 * @throws what the resolver threw, or an Error when it never had an address
 */
export async function resolveAddress(
  resolver: NameResolver,
  target: InvocationTarget,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (let retries = 0; ; retries += 1) {
    const address = await resolver.resolve(target, signal);
    if (address !== "") {
      return address;
    }
    if (retries === RESOLVE_RETRIES_MAX) {
      throw new Error(`resolver returned empty address for app id ${target.namespace}/${target.appId}`);
    }
    await sleep(clock, RESOLVE_RETRY_DELAY_MS, signal);
  }
}
