import { afterAll, describe, test } from "vitest";
import type { ComponentDeps, ComponentMetadata } from "../../src/components/spi/component.ts";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { redisMissing, type RedisServer, startRedisServer } from "../harness/redis-server.ts";

/** What a component under test is given, on the system's clock. */
export const redisDeps: ComponentDeps = {
  name: "redis",
  appId: "app",
  namespace: "",
  logger: silentLogger,
  clock: systemClock,
  random: systemRandom,
  environment: {},
  report() {},
  shared: createSharedScope(),
};

/** Runs a suite against a real redis-server of its own; where there is none, says so in a skipped test. */
export function withRedis(
  what: string,
  suite: (
    deps: ComponentDeps,
    metadata: ComponentMetadata,
    elapse: (ms: number) => Promise<void>,
    server: RedisServer,
  ) => void,
): void {
  if (redisMissing !== undefined) {
    test.skip(`${what}: ${redisMissing}`);
    return;
  }
  describe(what, async () => {
    const server = await startRedisServer();
    afterAll(() => server[Symbol.asyncDispose]());
    const elapse = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
    suite(redisDeps, { redisHost: server.address }, elapse, server);
  });
}
