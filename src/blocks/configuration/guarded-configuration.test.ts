import { expect, it, vi } from "vitest";
import type { AppChannel, InvokeReply } from "../../app/types.ts";
import type {
  ConfigurationListener,
  ConfigurationStore,
  ConfigurationSubscription,
} from "../../components/spi/configuration.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { LiveView } from "../../inventory/view.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { document, drive, setUpResiliency, settle } from "../../resiliency/policy.fixture.ts";
import { tellApp } from "./app-updates.ts";
import { createConfigurationBlock } from "./configuration-block.ts";

async function setUp() {
  const { resiliency, clock } = await setUpResiliency(
    document({
      timeouts: { DefaultComponentOutboundTimeoutPolicy: "5ms" },
      retries: { DefaultComponentRetryPolicy: { duration: "0", maxRetries: 2 } },
    }),
  );
  const stores = new LiveView<ConfigurationStore>();
  const block = createConfigurationBlock({
    stores,
    random: systemRandom,
    logger: silentLogger,
    clock,
    policies: resiliency,
  });
  const closed: string[] = [];
  const listeners: ConfigurationListener[] = [];
  const store = {
    init: () => Promise.resolve(),
    close: () => Promise.resolve(),
    get: vi.fn(() => Promise.reject(new ComponentError("unavailable", "no line"))),
    subscribe: async (_request: unknown, listener: ConfigurationListener): Promise<ConfigurationSubscription> => {
      listeners.push(listener);
      const name = `attempt ${listeners.length}`;
      return { close: async () => void closed.push(name) };
    },
  };
  const load = (component: ConfigurationStore): unknown =>
    stores.set({
      name: "store",
      manifest: {
        family: "configuration",
        type: "configuration.fake",
        versions: [{ version: "v1", stability: "stable" }],
        capabilities: [],
        metadata: [],
        load: async () => () => component,
      },
      version: "v1",
      metadata: {},
      secretNames: {},
      component,
    });
  load(store);
  return { block, clock, store, closed, listeners, load };
}

const request = { store: "store", keys: ["a"], metadata: {} };
const update = { a: { value: "1", version: "1", metadata: {} } };

it("a store that fails is asked again", async () => {
  const { block, clock, store } = await setUp();
  await expect(drive(clock, block.get(request))).rejects.toThrow("no line");
  expect(store.get).toHaveBeenCalledTimes(3);
});

it("a subscription that comes after its time is closed again", async () => {
  const { block, clock, store, closed, load } = await setUp();
  const gate = Promise.withResolvers<void>();
  let attempts = 0;
  load({
    ...store,
    subscribe: async (asked, listener) => {
      const subscription = await store.subscribe(asked, listener);
      attempts += 1;
      if (attempts === 1) {
        await gate.promise;
      }
      return subscription;
    },
  });
  const updates = await drive(clock, block.subscribe(request), 1);
  gate.resolve();
  await settle();
  expect(closed).toEqual(["attempt 1"]);
  await updates.close();
  expect(closed).toEqual(["attempt 1", "attempt 2"]);
});

it("an app that cannot take an update is told again", async () => {
  const { block, clock, listeners } = await setUp();
  const updates = await drive(clock, block.subscribe(request));
  let calls = 0;
  const reply = (code: number): InvokeReply => ({
    status: { kind: "http", code },
    headers: [],
    trailers: [],
    contentType: "",
    body: new Uint8Array(0),
  });
  const channel = { invoke: async () => reply(++calls < 3 ? 500 : 200) } as unknown as AppChannel;
  const told = tellApp("store", updates, channel, silentLogger);
  listeners[0]?.(update);
  for (let each = 0; each < 4; each++) {
    await settle();
    clock.advance(0);
  }
  expect(calls).toBe(3);
  await updates.close();
  await told;
});
