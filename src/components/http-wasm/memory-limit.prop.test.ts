import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GuestBuilder, NEXT } from "./guest.fixture.ts";
import { limitMemory } from "./memory-limit.ts";
import { webAssembly } from "./webassembly.ts";

describe("limitMemory", () => {
  it("gives a guest's memory the least of both maxima, and leaves the rest as it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200 }),
        fc.option(fc.integer({ min: 200, max: 60_000 }), { nil: undefined }),
        fc.integer({ min: 200, max: 30_000 }),
        (minimum, maximum, limit) => {
          const build = (most: number | undefined): Buffer =>
            new GuestBuilder().build(NEXT, [], most === undefined ? [minimum] : [minimum, most]);
          const limited = limitMemory(build(maximum), limit);
          expect(Buffer.from(limited).equals(build(Math.min(maximum ?? limit, limit)))).toBe(true);
        },
      ),
    );
  });

  it("is kept by the engine", async () => {
    const module = await webAssembly.compile(limitMemory(new GuestBuilder().build(NEXT, [], [1]), 2));
    const host = Object.fromEntries(webAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
    const { memory } = new webAssembly.Instance(module, { http_handler: host }).exports as {
      memory: { grow(pages: number): number };
    };
    expect(memory.grow(1)).toBe(1);
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  it("any bytes are a module or an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          limitMemory(bytes, 10);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
