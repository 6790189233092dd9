import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { pluggableManifests } from "../../src/components/pluggable/manifest.ts";
import { PING_INTERVAL_MS, PING_MS_MAX } from "../../src/components/pluggable/limits.ts";
import type { SecretStore } from "../../src/components/spi/secret-store.ts";
import { silentLogger } from "../../src/kit/silent-logger.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { methodsOf } from "../../src/net/grpc/protobuf.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { FeaturesResponseSchema, PingResponseSchema } from "../../src/wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  SecretStore as SecretStoreService,
  SecretStoreInitResponseSchema,
} from "../../src/wire/gen/dapr/proto/components/v1/secretstore_pb.js";
import { startComponentServer } from "../harness/pluggable/component-server.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { until } from "../harness/until.ts";

it("a component that stops answering is degraded until it answers again", async () => {
  await using folder = await temporaryFolder();
  let pings = 0;
  let hung: PromiseWithResolvers<void> | undefined;
  await using _server = await startComponentServer(join(folder.path, "vault.sock"), [
    {
      service: SecretStoreService,
      register: (server) =>
        server.addService(methodsOf(SecretStoreService), {
          init: () => create(SecretStoreInitResponseSchema),
          features: () => create(FeaturesResponseSchema),
          ping: async () => {
            pings += 1;
            await hung?.promise;
            return create(PingResponseSchema);
          },
        }),
    },
  ]);
  const transport = createH2Transport();
  const options = { transport, messageBytesMax: 4_096, clock: systemClock, logger: silentLogger };
  const [manifest] = await pluggableManifests({ ...options, folder: folder.path });
  const clock = new VirtualClock();
  const reports: string[] = [];
  const report = (condition: string, reason = ""): void => void reports.push(`${condition} ${reason}`.trim());
  const store = (await manifest?.load())?.({ ...stateDeps(clock), report }) as SecretStore;
  await store.init({}, new AbortController().signal);

  clock.advance(PING_INTERVAL_MS);
  await until("the first ping is answered", () => reports.includes("ready"));
  hung = Promise.withResolvers<void>();
  clock.advance(PING_INTERVAL_MS);
  await until("a ping hangs", () => pings === 2);
  clock.advance(PING_MS_MAX);
  const silence = `the component behind ${join(folder.path, "vault.sock")} has not answered for ${PING_MS_MAX} ms`;
  await until("it is degraded", () => reports.at(-1) === `degraded ${silence}`);
  hung.resolve();
  hung = undefined;
  clock.advance(PING_INTERVAL_MS - PING_MS_MAX);
  await until("it is ready again", () => reports.at(-1) === "ready");
  await store.close();
  expect(clock.pendingTimers).toBe(0);
});
