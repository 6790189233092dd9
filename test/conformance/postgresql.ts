import { afterAll, describe, test } from "vitest";
import type { ComponentDeps } from "../../src/components/spi/component.ts";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import {
  postgresMissing,
  type PostgresServer,
  type PostgresServerOptions,
  startPostgresServer,
} from "../harness/postgres-server.ts";

/** What a component under test is given, on the system's clock. */
export const postgresDeps: ComponentDeps = {
  name: "postgresql",
  appId: "app",
  namespace: "",
  logger: silentLogger,
  clock: systemClock,
  random: systemRandom,
  environment: {},
  report() {},
  shared: createSharedScope(),
};

/** Runs a suite against a real PostgreSQL of its own; where there is none, says so in a skipped test. */
export function withPostgres(
  what: string,
  suite: (server: PostgresServer) => void,
  options: PostgresServerOptions = {},
): void {
  if (postgresMissing !== undefined) {
    test.skip(`${what}: ${postgresMissing}`);
    return;
  }
  describe(what, async () => {
    const server = await startPostgresServer(options);
    afterAll(() => server[Symbol.asyncDispose]());
    suite(server);
  });
}
