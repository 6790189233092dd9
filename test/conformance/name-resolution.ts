import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import type { Instance, NameResolver } from "../../src/components/spi/name-resolution.ts";

/** How a name resolver is brought up for the suite. */
export interface NameResolutionConformance {
  readonly manifest: ComponentManifest<NameResolver>;
  /** Those of one sidecar; what is shared by all is the same each time. */
  readonly deps: () => ComponentDeps;
  readonly metadata: () => ComponentMetadata;
}

const RESOLUTIONS = 200;

let caseNumber = 0;

/** The contract of a resolver in which sidecars register, as cases. */
export function nameResolutionConformance({ manifest, deps, metadata }: NameResolutionConformance): void {
  describe(`${manifest.type} keeps the contract of name resolvers`, () => {
    let appId: string;
    const opened: NameResolver[] = [];

    const open = async (): Promise<NameResolver> => {
      const resolver = (await manifest.load())(deps());
      opened.push(resolver);
      await resolver.init(metadata(), new AbortController().signal);
      return resolver;
    };
    const instance = (over: Partial<Instance> = {}): Instance => ({
      appId,
      namespace: "default",
      address: "127.0.0.1",
      internalGrpcPort: 50_002,
      httpPort: 3_500,
      appPort: 8_080,
      ...over,
    });
    const given = async (asker: NameResolver): Promise<string[]> => {
      const addresses = new Set<string>();
      for (let count = 0; count < RESOLUTIONS; count += 1) {
        addresses.add(await asker.resolve({ appId, namespace: "default" }));
      }
      return [...addresses].toSorted();
    };

    beforeEach(() => {
      caseNumber += 1;
      appId = `app-${process.pid}-${caseNumber}`;
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((resolver) => resolver.close()));
    });

    test("a second close is harmless, and so is one without init", async () => {
      const resolver = await open();
      await resolver.close();
      await resolver.close();
      await (await manifest.load())(deps()).close();
    });

    test("a sidecar finds itself and another one", async () => {
      const [one, other] = [await open(), await open()];
      await one.announce(instance());
      expect(await given(one)).toEqual(["127.0.0.1:50002"]);
      expect(await given(other)).toEqual(["127.0.0.1:50002"]);
    });

    test("an IPv6 address stands in brackets", async () => {
      const one = await open();
      await one.announce(instance({ address: "::1" }));
      expect(await given(one)).toEqual(["[::1]:50002"]);
    });

    test("of several instances each is given out, and of those that have stopped none", async () => {
      const [asker, first, second] = [await open(), await open(), await open()];
      await first.announce(instance());
      await second.announce(instance({ httpPort: 3_501, internalGrpcPort: 50_003 }));
      expect(await given(asker)).toEqual(["127.0.0.1:50002", "127.0.0.1:50003"]);
      await first.close();
      expect(await given(asker)).toEqual(["127.0.0.1:50003"]);
    });

    test("an app that has not registered is not found, and neither is one that has stopped", async () => {
      const [asker, stopped] = [await open(), await open()];
      const missing = { kind: "notFound" };
      await expect(asker.resolve({ appId, namespace: "default" })).rejects.toMatchObject(missing);
      await stopped.announce(instance());
      await stopped.close();
      await expect(asker.resolve({ appId, namespace: "default" })).rejects.toMatchObject(missing);
    });
  });
}
