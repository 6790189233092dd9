import { afterEach, expect, it, vi } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import { SentryMetrics } from "../../telemetry/metrics/sentry-metrics.ts";
import { type Authority, openAuthority } from "./authority.ts";
import { OwnCertificate } from "./own-certificate.ts";

const TTL_MS = 60_000;
const PATIENCE = { timeout: 20_000 };

let own: OwnCertificate | undefined;
afterEach(() => own?.stop());

async function setUp(clock: VirtualClock, workloadTtlMs = TTL_MS) {
  const registry = new MetricRegistry({ prefix: "dapr_", logger: silentLogger });
  const store = {
    description: "nothing",
    load: () => Promise.resolve({ issuer: undefined, jwt: undefined }),
    save: () => Promise.resolve(),
  };
  const authority: Authority = await openAuthority(
    store,
    { trustDomain: "a.example", namespace: "default", workloadTtlMs, skewMs: 900_000, jwt: undefined },
    { clock, random: systemRandom, logger: silentLogger },
  );
  const sign = vi.fn<Authority["sign"]>((...request) => authority.sign(...request));
  own = new OwnCertificate({
    authority: () => ({ ...authority, sign }),
    trustDomain: "a.example",
    namespace: "default",
    clock,
    logger: silentLogger,
    metrics: new SentryMetrics(registry),
  });
  return { own, sign, registry };
}

it("is renewed when half of what is left of it has passed, however long it was valid before", async () => {
  const clock = new VirtualClock();
  const { own: certificate, sign } = await setUp(clock);
  await certificate.renew();
  clock.advance(TTL_MS / 2 - 1);
  expect(sign).toHaveBeenCalledTimes(1);
  clock.advance(1);
  await vi.waitFor(() => expect(sign).toHaveBeenCalledTimes(2), PATIENCE);
});

it("is tried again in ten seconds where that fails, which is counted", async () => {
  const clock = new VirtualClock();
  const { own: certificate, sign, registry } = await setUp(clock);
  await certificate.renew();
  sign.mockRejectedValueOnce(new Error("no"));
  clock.advance(TTL_MS / 2);
  await vi.waitFor(
    () => expect(registry.render()).toContain('dapr_sentry_servercert_issue_failed_total{reason="ca_error"} 1'),
    PATIENCE,
  );
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(1), PATIENCE);
  clock.advance(9_999);
  expect(sign).toHaveBeenCalledTimes(2);
  clock.advance(1);
  await vi.waitFor(() => expect(sign).toHaveBeenCalledTimes(3), PATIENCE);
});

it("is renewed no more once it has been stopped", async () => {
  const clock = new VirtualClock();
  const { own: certificate, sign } = await setUp(clock);
  await certificate.renew();
  certificate.stop();
  clock.advance(TTL_MS);
  expect(sign).toHaveBeenCalledTimes(1);
  expect(clock.pendingTimers).toBe(0);
});

it("is renewed within a minute of a clock that was set, forth or back", async () => {
  class SetClock extends VirtualClock {
    setMs = 0;
    override now(): number {
      return super.now() + this.setMs;
    }
  }
  const clock = new SetClock();
  const { own: certificate, sign } = await setUp(clock, 24 * 3_600_000);
  await certificate.renew();
  for (const [renewals, setMs] of [
    [2, 48 * 3_600_000],
    [3, 0],
  ] as const) {
    clock.setMs = setMs;
    clock.advance(60_000);
    await vi.waitFor(() => expect(sign).toHaveBeenCalledTimes(renewals), PATIENCE);
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1), PATIENCE);
  }
  clock.advance(60_000);
  expect(sign).toHaveBeenCalledTimes(3);
});

it("is still renewed in its time when a renewal in between has failed", async () => {
  const clock = new VirtualClock();
  const { own: certificate, sign } = await setUp(clock);
  await certificate.renew();
  sign.mockRejectedValueOnce(new Error("the new credentials are bad"));
  await expect(certificate.renew()).rejects.toThrow("the new credentials are bad");
  clock.advance(TTL_MS / 2);
  await vi.waitFor(() => expect(sign).toHaveBeenCalledTimes(3), PATIENCE);
});
