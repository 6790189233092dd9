import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { BindingEvent } from "../spi/bindings.ts";
import { componentDeps } from "../spi/component-deps.fixture.ts";
import { createCronBinding } from "./binding.ts";

function setUp() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  return { clock, warnings, binding: createCronBinding(componentDeps({ name: "tick", logger, clock })) };
}

const begin = (schedule: string, binding: ReturnType<typeof createCronBinding>) =>
  binding.init({ schedule }, new AbortController().signal);

describe("bindings.cron", () => {
  it("tells when it read, as Go prints a time", async () => {
    const { clock, binding } = setUp();
    const events: BindingEvent[] = [];
    await begin("@every 1500ms", binding);
    await binding.read(async (event) => void events.push(event));
    clock.advance(3_000);
    expect(events.map((event) => event.metadata)).toEqual([
      { timeZone: "Local", readTimeUTC: "2026-01-01 00:00:01.5 +0000 UTC" },
      { timeZone: "Local", readTimeUTC: "2026-01-01 00:00:03 +0000 UTC" },
    ]);
    expect(events[0]?.data).toHaveLength(0);
  });

  it("waits for moments that are further away than a timer can count", async () => {
    const { clock, binding } = setUp();
    let fired = 0;
    await begin("CRON_TZ=UTC 0 0 1 3 *", binding);
    await binding.read(async () => void (fired += 1));
    const untilMarch = Date.UTC(2026, 2, 1) - Date.UTC(2026, 0, 1);
    clock.advance(untilMarch - 1);
    expect(fired).toBe(0);
    clock.advance(1);
    expect(fired).toBe(1);
  });

  it("does not wait for a slow handler, up to a limit that it tells", async () => {
    const { clock, warnings, binding } = setUp();
    let entered = 0;
    const release = Promise.withResolvers<void>();
    await begin("@every 1s", binding);
    const reading = await binding.read(async () => {
      entered += 1;
      await release.promise;
      return undefined;
    });
    clock.advance(101_000);
    expect(entered).toBe(100);
    expect(warnings).toEqual([expect.stringContaining("100 of its events are under way")]);
    release.resolve();
    await reading.close();
  });

  it("leaves no timer behind", async () => {
    const { clock, binding } = setUp();
    await begin("@every 1s", binding);
    await binding.read(async () => undefined);
    await binding.close();
    expect(clock.pendingTimers).toBe(0);
    await expect(binding.read(async () => undefined)).rejects.toThrow("binding is closed");
  });

  it.each([
    ["", "schedule not set"],
    ["often", "invalid schedule format 'often': expected 5 to 6 fields, found 1: [often]"],
  ])("refuses the schedule %j", async (schedule, message) => {
    await expect(begin(schedule, setUp().binding)).rejects.toMatchObject({ kind: "invalidMetadata", message });
  });
});
