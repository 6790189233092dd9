import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { PubSub, PubSubMessage } from "../../src/components/spi/pubsub.ts";

/** How a broker is brought up for the suite. */
export interface PubSubConformance {
  readonly manifest: ComponentManifest<PubSub>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
}

let caseNumber = 0;

/** A topic that no other case uses, so that cases may share one real server. */
function freshTopic(): string {
  caseNumber += 1;
  return `conformance-${process.pid}-${caseNumber}`;
}

const textOf = (message: PubSubMessage | undefined): string => Buffer.from(message?.data ?? []).toString();

/** A handler that keeps what it gets. */
function keeper() {
  const messages: PubSubMessage[] = [];
  const handler = async (message: PubSubMessage): Promise<void> => {
    messages.push(message);
  };
  return { messages, handler, texts: () => messages.map(textOf) };
}

const arrived = (keep: { messages: readonly unknown[] }, count: number) =>
  vi.waitFor(() => expect(keep.messages).toHaveLength(count), { timeout: 10_000, interval: 5 });

/** The contract of a broker as cases; each section runs where the manifest declares its capability. */
export function pubsubConformance({ manifest, deps, metadata }: PubSubConformance): void {
  describe(`${manifest.type} keeps the contract of brokers`, () => {
    let broker: PubSub;
    let topic: string;

    const publish = (text: string, name = topic, rest: Readonly<Record<string, string>> = {}): Promise<void> =>
      broker.publish({ topic: name, data: Buffer.from(text), contentType: undefined, metadata: rest });

    beforeEach(async () => {
      broker = (await manifest.load())(deps);
      await broker.init(metadata, new AbortController().signal);
      topic = freshTopic();
    });

    afterEach(async () => {
      await broker.close();
    });

    test("a second close is harmless, and so is one without init", async () => {
      await broker.close();
      await broker.close();
      await (await manifest.load())(deps).close();
    });

    test("a message reaches its subscriber with its data, topic and metadata", async () => {
      const keep = keeper();
      await broker.subscribe({ topic, metadata: {} }, keep.handler);
      await publish("héllo", topic, { key: "v" });
      await arrived(keep, 1);
      expect(keep.texts()).toEqual(["héllo"]);
      expect(keep.messages[0]).toMatchObject({ topic, metadata: { key: "v" } });
    });

    test("any bytes pass, none too", async () => {
      const keep = keeper();
      await broker.subscribe({ topic, metadata: { concurrencyMode: "single" } }, keep.handler);
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      await broker.publish({ topic, data: all, contentType: undefined, metadata: {} });
      await arrived(keep, 1);
      expect(Uint8Array.from(keep.messages[0]?.data ?? [])).toEqual(all);
      await broker.publish({ topic, data: new Uint8Array(), contentType: undefined, metadata: {} });
      await arrived(keep, 2);
      expect(keep.messages[1]?.data).toHaveLength(0);
    });

    test("topics do not mix", async () => {
      const one = keeper();
      const two = keeper();
      await broker.subscribe({ topic: `${topic}-1`, metadata: {} }, one.handler);
      await broker.subscribe({ topic: `${topic}-2`, metadata: {} }, two.handler);
      await publish("1", `${topic}-1`);
      await publish("2", `${topic}-2`);
      await arrived(one, 1);
      await arrived(two, 1);
      expect([one.texts(), two.texts()]).toEqual([["1"], ["2"]]);
    });

    test("many messages all arrive, each once", async () => {
      const keep = keeper();
      await broker.subscribe({ topic, metadata: {} }, keep.handler);
      const texts = Array.from({ length: 500 }, (_, index) => String(index));
      await Promise.all(texts.map((text) => publish(text)));
      await arrived(keep, texts.length);
      expect(keep.texts().toSorted()).toEqual(texts.toSorted());
    });

    test("a handler that fails does not keep later messages away", async () => {
      const keep = keeper();
      await broker.subscribe({ topic, metadata: {} }, async (message) => {
        if (textOf(message) === "bad") {
          throw new Error("no");
        }
        await keep.handler(message);
      });
      await publish("bad");
      await publish("good");
      await vi.waitFor(() => expect(keep.texts()).toContain("good"), { timeout: 10_000 });
    });

    test("a closed subscription gets nothing more", async () => {
      const closed = keeper();
      const open = keeper();
      const subscription = await broker.subscribe({ topic, metadata: {} }, closed.handler);
      await broker.subscribe({ topic: `${topic}-other`, metadata: {} }, open.handler);
      await subscription.close();
      await subscription.close();
      await publish("1");
      await publish("2", `${topic}-other`);
      await arrived(open, 1);
      expect(closed.messages).toEqual([]);
    });

    test("closing a subscription waits for the handler under way", async () => {
      const entered = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const subscription = await broker.subscribe({ topic, metadata: {} }, async () => {
        entered.resolve();
        await release.promise;
      });
      await publish("1");
      await entered.promise;
      let closed = false;
      const close = subscription.close().then(() => {
        closed = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(closed).toBe(false);
      release.resolve();
      await close;
    });

    test("a closed broker takes no message and no subscription", async () => {
      await broker.close();
      await expect(publish("1")).rejects.toMatchObject({ name: "ComponentError" });
      await expect(broker.subscribe({ topic, metadata: {} }, keeper().handler)).rejects.toMatchObject({
        name: "ComponentError",
      });
    });

    describe.runIf(manifest.capabilities.includes("SUBSCRIBE_WILDCARDS"))("SUBSCRIBE_WILDCARDS", () => {
      test("a pattern takes every topic that goes on after it", async () => {
        const keep = keeper();
        await broker.subscribe({ topic: `${topic}*`, metadata: {} }, keep.handler);
        await publish("no", topic);
        await publish("yes", `${topic}/a`);
        await publish("no", `x${topic}`);
        await publish("yes", `${topic}b`);
        await arrived(keep, 2);
        expect(keep.texts()).toEqual(["yes", "yes"]);
      });
    });
  });
}
