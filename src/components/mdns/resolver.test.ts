import { expect, test } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { ComponentDeps } from "../spi/component.ts";
import type { Instance } from "../spi/name-resolution.ts";
import { ADDRESS_TTL_MS, BROWSE_MS, REFRESH_INTERVAL_MS } from "./limits.ts";
import type { DnsPacket, Multicast } from "./multicast.ts";
import { heardIn } from "./records.ts";
import { MdnsResolver } from "./resolver.ts";

/** A network on which everybody hears everything at once. */
class Network {
  readonly queries: DnsPacket[] = [];
  readonly responses: DnsPacket[] = [];
  readonly #queryListeners = new Set<(packet: DnsPacket) => void>();
  readonly #responseListeners = new Set<(packet: DnsPacket) => void>();

  join(): Multicast {
    return {
      onQuery: (listener) => void this.#queryListeners.add(listener),
      onResponse: (listener) => void this.#responseListeners.add(listener),
      query: (packet) => {
        this.queries.push(packet);
        for (const listener of this.#queryListeners) {
          listener(packet);
        }
      },
      respond: (packet) => this.hear(packet),
      close: () => Promise.resolve(),
    };
  }

  hear(packet: DnsPacket): void {
    this.responses.push(packet);
    for (const listener of this.#responseListeners) {
      listener(packet);
    }
  }
}

async function setUp() {
  const clock = new VirtualClock();
  const network = new Network();
  const start = async (): Promise<MdnsResolver> => {
    const deps = { clock, random: systemRandom, logger: silentLogger } as unknown as ComponentDeps;
    const resolver = new MdnsResolver(deps, () => network.join());
    await resolver.init();
    return resolver;
  };
  return { clock, network, start, browser: await start() };
}

function instance(appId: string, port: number, address = "10.0.0.1"): Instance {
  return { appId, namespace: "", address, internalGrpcPort: port, httpPort: 3500 };
}

/** What daprd's library (zeroconf) answers to a browse. */
function zeroconfAnswer(appId: string, port: number, more: { ttl?: number; address?: string } = {}): DnsPacket {
  const { ttl = 3200, address = "10.0.0.9" } = more;
  const name = `vm:77.${appId}.local`;
  return {
    answers: [{ type: "PTR", name: `${appId}.local`, ttl, data: name }],
    additionals: [
      { type: "SRV", name, ttl, data: { port, target: "vm.local" } },
      { type: "TXT", name, ttl, data: [Buffer.from(appId)] },
      { type: "A", name: "vm.local", ttl: ttl === 0 ? 0 : 120, data: address },
    ],
  };
}

const request = { appId: "app", namespace: "any" };

test("one sidecar finds another by its app id", async () => {
  const { browser, start } = await setUp();
  await (await start()).announce(instance("app", 50_002));
  await (await start()).announce(instance("other", 50_003));
  expect(await browser.resolve(request)).toBe("10.0.0.1:50002");
});

test("several instances take turns", async () => {
  const { browser, start } = await setUp();
  await (await start()).announce(instance("app", 1));
  await (await start()).announce(instance("app", 2));
  await browser.resolve(request);
  const given = new Set([await browser.resolve(request), await browser.resolve(request)]);
  expect([...given].sort()).toEqual(["10.0.0.1:1", "10.0.0.1:2"]);
});

test("an answer of daprd's own resolver is understood, whoever asked", async () => {
  const { browser, network } = await setUp();
  const looking = browser.resolve(request);
  network.hear(zeroconfAnswer("other", 4));
  network.hear(zeroconfAnswer("app", 5));
  expect(await looking).toBe("10.0.0.9:5");
});

test("nobody answers: the question is repeated, then it fails in Dapr's words, for all who wait", async () => {
  const { browser, network, clock } = await setUp();
  const both = [browser.resolve(request), browser.resolve(request)];
  clock.advance(BROWSE_MS);
  for (const one of both) {
    await expect(one).rejects.toMatchObject({ kind: "notFound", message: "couldn't find service: app" });
  }
  expect(network.queries).toEqual([1, 2, 3].map(() => ({ questions: [{ type: "PTR", name: "app.local" }] })));
});

test("addresses are refreshed, and forgotten when nobody confirms them", async () => {
  const { browser, network, clock } = await setUp();
  const looking = browser.resolve(request);
  network.hear(zeroconfAnswer("app", 5));
  await looking;
  const asked = network.queries.length;
  clock.advance(REFRESH_INTERVAL_MS);
  expect(network.queries.length).toBe(asked + 1);
  network.hear(zeroconfAnswer("app", 5));
  clock.advance(ADDRESS_TTL_MS - 1);
  expect(await browser.resolve(request)).toBe("10.0.0.9:5");
  clock.advance(1);
  const lost = browser.resolve(request);
  clock.advance(BROWSE_MS);
  await expect(lost).rejects.toThrow("couldn't find service: app");
});

test("a goodbye and a refused connection drop the address", async () => {
  const { browser, network, clock, start } = await setUp();
  const server = await start();
  await server.announce(instance("app", 5));
  await browser.resolve(request);
  await server.close();
  const gone = browser.resolve(request);
  clock.advance(BROWSE_MS);
  await expect(gone).rejects.toThrow("couldn't find service: app");
  network.hear(zeroconfAnswer("app", 6));
  browser.forget(request, "10.0.0.9:6");
  network.hear(zeroconfAnswer("app", 7));
  expect(await browser.resolve(request)).toBe("10.0.0.9:7");
});

test("what we announce is what zeroconf reads: names, port, text and address, twice", async () => {
  const { network, clock, start } = await setUp();
  await (await start()).announce(instance("app", 5));
  clock.advance(1_000);
  expect(network.responses).toHaveLength(2);
  expect(heardIn(network.responses[1] ?? {})).toEqual([{ appId: "app", address: "10.0.0.1:5", gone: false }]);
  const records = network.responses[0]?.answers ?? [];
  const pointer = records.find((record) => record.name === "app.local");
  const service = records.find((record) => record.type === "SRV");
  expect(pointer?.type).toBe("PTR");
  expect(pointer?.data).toMatch(/^.+\.app\.local$/);
  expect(service).toMatchObject({ name: pointer?.data, flush: true, data: { port: 5 } });
  expect(records.find((record) => record.type === "A")?.name).toBe(
    (service?.data as { target?: string } | undefined)?.target,
  );
  expect(records).toContainEqual({ type: "PTR", name: "_services._dns-sd._udp.local", ttl: 3200, data: "app.local" });
});

test("a browser that knows us already gets no answer, nor does a probe", async () => {
  const { network, start } = await setUp();
  await (await start()).announce(instance("app", 5));
  const [announced] = network.responses;
  const known = (announced?.answers ?? []).filter((record) => record.name === "app.local");
  const before = network.responses.length;
  const asker = network.join();
  asker.query({ questions: [{ type: "PTR", name: "app.local" }], answers: known });
  asker.query({ questions: [{ type: "PTR", name: "app.local" }], authorities: known });
  expect(network.responses.length).toBe(before);
  asker.query({ questions: [{ type: "PTR", name: "APP.local" }] });
  expect(network.responses.length).toBe(before + 1);
});

test("a caller that gives up leaves the others waiting", async () => {
  const { browser, network } = await setUp();
  const abort = new AbortController();
  const given = browser.resolve(request, abort.signal);
  const waiting = browser.resolve(request);
  abort.abort(new Error("gone"));
  await expect(given).rejects.toThrow("gone");
  network.hear(zeroconfAnswer("app", 5));
  expect(await waiting).toBe("10.0.0.9:5");
});
