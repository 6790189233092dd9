import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Binding, BindingEvent, BindingResponse } from "../../src/components/spi/bindings.ts";
import type { ComponentDeps, ComponentManifest, ComponentMetadata } from "../../src/components/spi/component.ts";
import { ComponentError } from "../../src/components/spi/errors.ts";
import type { RequestMetadata } from "../../src/components/spi/request-metadata.ts";
import { type CapabilityMethods, capabilitySections } from "./sections.ts";

/** How a binding is brought up for the suite. */
export interface BindingsConformance {
  readonly manifest: ComponentManifest<Binding>;
  readonly deps: ComponentDeps;
  readonly metadata: ComponentMetadata;
  /** For bindings that keep what `create` is given: the request metadata that names an object, and how `get` and `delete` name it. */
  readonly object?: (name: string) => RequestMetadata;
  /** For input bindings: makes the outside world cause one event (or more) in a binding that is being read. */
  readonly provoke?: () => Promise<void>;
}

const METHODS: CapabilityMethods<Binding> = {
  OUTPUT_BINDING: ["operations", "invoke"],
  INPUT_BINDING: ["read"],
};

let caseNumber = 0;

/** An object that no other case uses, so that cases may share one real server. */
function freshName(): string {
  caseNumber += 1;
  return `conformance-${process.pid}-${caseNumber}`;
}

const textOf = (data: Uint8Array | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data).toString();

/** The contract of a binding as cases; each section runs where the manifest declares its capability and the options say how. */
export function bindingsConformance({ manifest, deps, metadata, object, provoke }: BindingsConformance): void {
  describe(`${manifest.type} keeps the contract of bindings`, () => {
    let binding: Binding;

    const invoke = (operation: string, text: string, requestMetadata: RequestMetadata): Promise<BindingResponse> => {
      if (binding.invoke === undefined) {
        throw new Error("the binding has no output");
      }
      return binding.invoke({ operation, data: Buffer.from(text), metadata: requestMetadata });
    };

    beforeEach(async () => {
      binding = (await manifest.load())(deps);
      await binding.init(metadata, new AbortController().signal);
    });

    afterEach(async () => {
      await binding.close();
    });

    test("a second close is harmless, and so is one without init", async () => {
      await binding.close();
      await binding.close();
      await (await manifest.load())(deps).close();
    });

    const section = capabilitySections(manifest, METHODS, () => binding);

    test("it has a direction, and the suite can work an input", () => {
      expect(manifest.capabilities).not.toEqual([]);
      expect(provoke !== undefined).toBe(manifest.capabilities.includes("INPUT_BINDING"));
    });

    section("OUTPUT_BINDING", () => {
      test("it lists its operations, each once", () => {
        const operations = binding.operations ?? [];
        expect(operations).not.toEqual([]);
        expect(new Set(operations).size).toBe(operations.length);
      });

      test("an operation that it does not list is refused", async () => {
        const name = object?.(freshName()) ?? {};
        await expect(invoke("no-such-operation", "", name)).rejects.toMatchObject({
          name: "ComponentError",
          kind: expect.not.stringMatching("unavailable") as unknown,
        });
      });
    });

    describe.runIf(object !== undefined)("objects", () => {
      const named = (name: string): RequestMetadata => object?.(name) ?? {};

      test("what was created is got back", async () => {
        const name = freshName();
        await invoke("create", "héllo", named(name));
        expect(textOf((await invoke("get", "", named(name))).data)).toBe("héllo");
      });

      test("a second create replaces the first", async () => {
        const name = freshName();
        await invoke("create", "a longer text", named(name));
        await invoke("create", "short", named(name));
        expect(textOf((await invoke("get", "", named(name))).data)).toBe("short");
      });

      test("names do not mix", async () => {
        const [one, two] = [freshName(), freshName()];
        await invoke("create", "1", named(one));
        await invoke("create", "2", named(two));
        expect(textOf((await invoke("get", "", named(one))).data)).toBe("1");
      });

      test("what was deleted is gone", async () => {
        const name = freshName();
        await invoke("create", "x", named(name));
        await invoke("delete", "", named(name));
        const left = await invoke("get", "", named(name)).catch((error: unknown) => {
          expect(error).toBeInstanceOf(ComponentError);
        });
        expect(textOf(left?.data) ?? "").toBe("");
      });
    });

    section("INPUT_BINDING", () => {
      const events: BindingEvent[] = [];
      const keep = async (event: BindingEvent): Promise<undefined> => void events.push(event);
      const read = async (handler: NonNullable<Parameters<NonNullable<Binding["read"]>>[0]>) => {
        if (binding.read === undefined) {
          throw new Error("the binding has no input");
        }
        return await binding.read(handler);
      };

      beforeEach(() => {
        events.length = 0;
      });

      test("an event reaches the handler", async () => {
        await read(keep);
        await provoke?.();
        await vi.waitFor(() => expect(events.length).toBeGreaterThan(0), { timeout: 30_000 });
      });

      test("a handler that fails does not end the reading", async () => {
        let failed = 0;
        await read(async (event) => {
          if (failed === 0) {
            failed += 1;
            throw new Error("no");
          }
          return await keep(event);
        });
        await provoke?.();
        await vi.waitFor(() => expect(failed).toBe(1), { timeout: 30_000 });
        await provoke?.();
        await vi.waitFor(() => expect(events.length).toBeGreaterThan(0), { timeout: 30_000 });
      });

      test("a closed reading gets nothing more", async () => {
        const reading = await read(keep);
        await reading.close();
        await reading.close();
        await provoke?.();
        expect(events).toEqual([]);
      });

      test("closing a reading waits for the handler under way", async () => {
        const entered = Promise.withResolvers<void>();
        const release = Promise.withResolvers<void>();
        const reading = await read(async () => {
          entered.resolve();
          await release.promise;
          return undefined;
        });
        const provoking = provoke?.();
        await entered.promise;
        let closed = false;
        const closing = reading.close().then(() => {
          closed = true;
        });
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(closed).toBe(false);
        release.resolve();
        await closing;
        await provoking;
      });
    });
  });
}
