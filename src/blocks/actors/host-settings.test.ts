import { expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { HostSettingsError, parseHostSettings } from "./host-settings.ts";

const parse = (config: unknown, disseminationTimeoutMs = 30_000) =>
  parseHostSettings(Buffer.from(JSON.stringify(config)), disseminationTimeoutMs, silentLogger);

it("has defaults for everything but the types", () => {
  expect(parse({ entities: ["t"] })).toEqual({
    types: new Map([
      ["t", { idleMs: 3_600_000, reentrancy: { enabled: false, stackDepthMax: 32 }, drainMs: undefined }],
    ]),
    drainMs: 2_000,
    drainRebalanced: true,
  });
});

it("takes nothing from the common settings where a type has its own", () => {
  const { types } = parse({
    entities: ["t", "u"],
    actorIdleTimeout: "1m",
    reentrancy: { enabled: true, maxStackDepth: 5 },
    entitiesConfig: [{ entities: ["u", "unknown"], drainOngoingCallTimeout: "3s" }],
  });
  expect(types.get("t")).toMatchObject({ idleMs: 60_000, reentrancy: { enabled: true, stackDepthMax: 5 } });
  expect(types.get("u")).toEqual({
    idleMs: 3_600_000,
    reentrancy: { enabled: false, stackDepthMax: 32 },
    drainMs: 3_000,
  });
  expect(types.has("unknown")).toBe(false);
});

it.each([
  ["9s", 9_000],
  ["10s", 8_000],
  ["1h", 8_000],
])("shortens a drain of %s that would outlast a round of 10 s", (drainOngoingCallTimeout, drainMs) => {
  expect(parse({ entities: [], drainOngoingCallTimeout }, 10_000).drainMs).toBe(drainMs);
});

it.each([{ actorIdleTimeout: "soon" }, { drainOngoingCallTimeout: "1 s" }, []])("refuses %j", (config) => {
  expect(() => parse(config)).toThrow(HostSettingsError);
});
