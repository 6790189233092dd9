import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import { ConsumerGoneError, type PubSub, type PubSubMessage } from "../../src/components/spi/pubsub.ts";
import { type CapabilityMethods, capabilitySections } from "./sections.ts";

/**
 * What a broker does that Dapr has no name of a capability for:
 * `redelivery`: a message that was given back comes again (make the wait short in `metadata`);
 * `competing consumers`: instances with one `consumerID` share the messages, each id gets them all;
 * `durability`: a subscription and its messages outlive the instance;
 * `delayed delivery`: `delayInSeconds` and `deliverAt` of a publish hold the message back.
 */
export type PubSubBehaviour = "redelivery" | "competing consumers" | "durability" | "delayed delivery";

/** How a broker is brought up for the suite. */
export interface PubSubConformance {
  readonly manifest: ComponentManifest<PubSub>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
  readonly behaviours?: readonly PubSubBehaviour[];
}

const METHODS: CapabilityMethods<PubSub> = { SUBSCRIBE_WILDCARDS: [], MESSAGE_TTL: [], BULK_PUBSUB: ["bulkPublish"] };

/** For what only has to come, from a broker in a process of its own on a busy machine. */
const PATIENCE_MS = 30_000;

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
  vi.waitFor(() => expect(keep.messages).toHaveLength(count), { timeout: PATIENCE_MS, interval: 5 });

/** The contract of a broker as cases; each section runs where the manifest declares its capability. */
export function pubsubConformance({ manifest, deps, metadata, behaviours = [] }: PubSubConformance): void {
  describe(`${manifest.type} keeps the contract of brokers`, () => {
    let broker: PubSub;
    let topic: string;

    const publish = (text: string, name = topic, rest: Readonly<Record<string, string>> = {}): Promise<void> =>
      broker.publish({ topic: name, data: Buffer.from(text), contentType: undefined, metadata: rest });

    const others: PubSub[] = [];

    /** One more instance on the same broker, as another sidecar has it. */
    async function instance(consumerID?: string): Promise<PubSub> {
      const other = (await manifest.load())(deps);
      others.push(other);
      await other.init(consumerID === undefined ? metadata : { ...metadata, consumerID }, new AbortController().signal);
      return other;
    }

    beforeEach(async () => {
      broker = (await manifest.load())(deps);
      await broker.init(metadata, new AbortController().signal);
      topic = freshTopic();
    });

    afterEach(async () => {
      await Promise.all([broker, ...others.splice(0)].map((one) => one.close()));
    });

    const section = capabilitySections(manifest, METHODS, () => broker);

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
      await vi.waitFor(() => expect(keep.texts()).toContain("good"), { timeout: PATIENCE_MS });
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

    section("SUBSCRIBE_WILDCARDS", () => {
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

    describe.runIf(behaviours.includes("redelivery"))("redelivery", () => {
      test("what a consumer that is gone held goes to the next", async () => {
        const entered = Promise.withResolvers<void>();
        const leave = Promise.withResolvers<void>();
        const leaving = await broker.subscribe({ topic, metadata: {} }, async () => {
          entered.resolve();
          await leave.promise;
          throw new ConsumerGoneError();
        });
        await publish("1");
        await entered.promise;
        const keep = keeper();
        await broker.subscribe({ topic, metadata: {} }, keep.handler);
        const closed = leaving.close();
        leave.resolve();
        await closed;
        await arrived(keep, 1);
        expect(keep.texts()).toEqual(["1"]);
      });

      test("a message that was given back comes again, as it was, until it is taken", async () => {
        const keep = keeper();
        await broker.subscribe({ topic, metadata: {} }, async (message) => {
          await keep.handler(message);
          if (keep.messages.length < 3) {
            throw new Error("not yet");
          }
        });
        await publish("1", topic, { key: "v" });
        await arrived(keep, 3);
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(keep.texts()).toEqual(["1", "1", "1"]);
        expect(keep.messages[2]).toMatchObject({ topic, metadata: { key: "v" } });
      });

      test("a message that waits for its next attempt holds no other up", async () => {
        const keep = keeper();
        await broker.subscribe({ topic, metadata: {} }, async (message) => {
          await keep.handler(message);
          if (textOf(message) === "bad") {
            throw new Error("never");
          }
        });
        await publish("bad");
        for (let count = 1; count <= 20; count += 1) {
          await publish(String(count));
        }
        await vi.waitFor(() => expect(new Set(keep.texts()).size).toBe(21), { timeout: PATIENCE_MS });
        await vi.waitFor(() => expect(keep.texts().filter((text) => text === "bad").length).toBeGreaterThan(1), {
          timeout: PATIENCE_MS,
        });
      });
    });

    describe.runIf(behaviours.includes("competing consumers"))("competing consumers", () => {
      test("instances with one consumer id share the messages", async () => {
        const keeps = [keeper(), keeper()];
        for (const keep of keeps) {
          const one = await instance("shared");
          await one.subscribe({ topic, metadata: {} }, async (message) => {
            await new Promise((resolve) => setTimeout(resolve, 5));
            await keep.handler(message);
          });
        }
        const texts = Array.from({ length: 600 }, (_, index) => String(index));
        await Promise.all(texts.map((text) => publish(text)));
        const all = (): string[] => keeps.flatMap((keep) => keep.texts());
        await vi.waitFor(() => expect(new Set(all()).size).toBe(texts.length), { timeout: PATIENCE_MS });
        expect([...new Set(all())].toSorted()).toEqual(texts.toSorted());
        // They share: what comes twice is only what somebody has held for longer than the broker waits.
        expect(all().length).toBeLessThan(1.5 * texts.length);
        expect(keeps.map((keep) => keep.messages.length)).not.toContain(0);
      });

      test("every consumer id gets every message", async () => {
        const keeps = [keeper(), keeper(), keeper()];
        for (const [index, keep] of keeps.entries()) {
          await (await instance(`id-${index}`)).subscribe({ topic, metadata: {} }, keep.handler);
        }
        const texts = Array.from({ length: 100 }, (_, index) => String(index));
        await Promise.all(texts.map((text) => publish(text)));
        for (const keep of keeps) {
          await arrived(keep, texts.length);
          expect(keep.texts().toSorted()).toEqual(texts.toSorted());
        }
      });

      test("what an instance was given and leaves behind goes to another", async () => {
        const leaving = await instance("shared");
        const entered = Promise.withResolvers<void>();
        const release = Promise.withResolvers<void>();
        await leaving.subscribe({ topic, metadata: {} }, async () => {
          entered.resolve();
          await release.promise;
          throw new Error("leaving");
        });
        await publish("1");
        await entered.promise;
        const closed = leaving.close();
        release.resolve();
        await closed;
        const keep = keeper();
        await (await instance("shared")).subscribe({ topic, metadata: {} }, keep.handler);
        await arrived(keep, 1);
        expect(keep.texts()).toEqual(["1"]);
      });
    });

    describe.runIf(behaviours.includes("durability"))("durability", () => {
      test("a subscriber that was away gets what was published meanwhile, in order", async () => {
        const first = await instance("away");
        await first.subscribe({ topic, metadata: {} }, keeper().handler);
        await first.close();
        const texts = Array.from({ length: 50 }, (_, index) => String(index));
        for (const text of texts) {
          await publish(text);
        }
        await broker.close();
        const keep = keeper();
        await (await instance("away")).subscribe({ topic, metadata: {} }, keep.handler);
        await arrived(keep, texts.length);
        expect(keep.texts()).toEqual(texts);
      });

      test("what has been taken does not come again", async () => {
        const first = await instance("away");
        const early = keeper();
        await first.subscribe({ topic, metadata: {} }, early.handler);
        await publish("1");
        await arrived(early, 1);
        await first.close();
        await publish("2");
        const late = keeper();
        await (await instance("away")).subscribe({ topic, metadata: {} }, late.handler);
        await arrived(late, 1);
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(late.texts()).toEqual(["2"]);
      });
    });

    describe.runIf(behaviours.includes("delayed delivery"))("delayed delivery", () => {
      test.each([
        ["delayInSeconds", () => "1.5"],
        ["deliverAt", () => new Date(Date.now() + 1_500).toISOString()],
      ])("%s holds a message back, and no other", async (name, value) => {
        const keep = keeper();
        await broker.subscribe({ topic, metadata: {} }, keep.handler);
        const startedMs = Date.now();
        await publish("later", topic, { [name]: value(), key: "v" });
        await publish("now");
        await arrived(keep, 2);
        expect(keep.texts()).toEqual(["now", "later"]);
        expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_495);
        expect(keep.messages[1]?.metadata).toEqual({ key: "v" });
      });
    });

    section("BULK_PUBSUB", () => {
      test("the messages of a bulk arrive, each with its own metadata", async () => {
        const keep = keeper();
        await broker.subscribe({ topic, metadata: {} }, keep.handler);
        const messages = ["1", "2", "3"].map((entryId) => ({
          entryId,
          data: Buffer.from(`text ${entryId}`),
          contentType: undefined,
          metadata: { key: entryId },
        }));
        expect(await broker.bulkPublish?.({ topic, messages, metadata: {} })).toEqual([]);
        await arrived(keep, 3);
        const seen = keep.messages.map((message) => `${textOf(message)}, key ${message.metadata["key"]}`);
        expect(seen.toSorted()).toEqual(["text 1, key 1", "text 2, key 2", "text 3, key 3"]);
      });
    });

    section("MESSAGE_TTL", () => {
      test("a message whose time is over is not delivered", async () => {
        const first = await instance("away");
        await first.subscribe({ topic, metadata: {} }, keeper().handler);
        await first.close();
        await publish("short", topic, { ttlInSeconds: "1" });
        await publish("long", topic, { ttlInSeconds: "60" });
        await new Promise((resolve) => setTimeout(resolve, 1_100));
        await publish("none");
        const keep = keeper();
        await (await instance("away")).subscribe({ topic, metadata: {} }, keep.handler);
        await arrived(keep, 2);
        expect(keep.texts()).toEqual(["long", "none"]);
      });
    });
  });
}
