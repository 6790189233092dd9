import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Cancellation, NEVER_CANCELLED } from "../kit/cancel-signal.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { OTHER_CERT } from "../net/http/self-signed.fixture.ts";
import { type IdentityObserver, openIdentity, type WorkloadIdentity } from "./identity.ts";
import { RENEWAL_MS_MIN, RENEWAL_RETRY_MS } from "./limits.ts";
import { certificateOf, FakeTrustAnchors } from "./security.fixture.ts";
import { CertificateError, type WorkloadCertificate } from "./workload-certificate.ts";

const HOUR_MS = 3_600_000;

class Bench {
  readonly clock = new VirtualClock();
  readonly trustAnchors = new FakeTrustAnchors();
  readonly log: string[] = [];
  requests = 0;
  /** What the authority answers now. */
  answer: (nowMs: number) => Partial<WorkloadCertificate> | Error = (nowMs) => ({
    notBeforeMs: nowMs,
    notAfterMs: nowMs + 24 * HOUR_MS,
  });

  open(signal = NEVER_CANCELLED): Promise<WorkloadIdentity> {
    const source = {
      request: () => {
        this.requests += 1;
        const answer = this.answer(this.clock.now());
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(certificateOf(answer));
      },
    };
    const observer: IdentityObserver = {
      initialized: () => this.log.push("initialized"),
      initFailed: (reason) => this.log.push(`init failed: ${reason}`),
      renewed: () => this.log.push("renewed"),
      renewalFailed: (reason) => this.log.push(`renewal failed: ${reason}`),
    };
    const parts = {
      source,
      trustAnchors: this.trustAnchors,
      controlPlane: { trustDomain: "localhost", namespace: "default" },
    };
    return openIdentity(parts, { clock: this.clock, logger: silentLogger, observer }, signal);
  }

  /** In steps, between which what was begun goes on. */
  async pass(ms: number): Promise<void> {
    const stepMs = ms > 60_000 ? 30_000 : 50;
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      this.clock.advance(Math.min(stepMs, leftMs));
      await setImmediate();
    }
  }
}

describe("renewal", () => {
  it("comes half-way through the certificate's life", async () => {
    const bench = new Bench();
    await bench.open();
    await bench.pass(12 * HOUR_MS - 1_000);
    expect(bench.requests).toBe(1);
    await bench.pass(2_000);
    expect(bench.requests).toBe(2);
    expect(bench.log).toEqual(["initialized", "renewed"]);
    await bench.pass(12 * HOUR_MS);
    expect(bench.requests).toBe(3);
  });

  it("comes sooner for a token that ends sooner", async () => {
    const bench = new Bench();
    bench.answer = (nowMs) => ({
      notBeforeMs: nowMs,
      notAfterMs: nowMs + 24 * HOUR_MS,
      token: { token: "t", audiences: ["public"], expiresMs: nowMs + HOUR_MS },
    });
    await bench.open();
    await bench.pass(HOUR_MS / 2 + 1_000);
    expect(bench.requests).toBe(2);
  });

  it("of certificates that are old at once has a pause", async () => {
    const bench = new Bench();
    bench.answer = (nowMs) => ({ notBeforeMs: nowMs - 1_000, notAfterMs: nowMs });
    await bench.open();
    await bench.pass(RENEWAL_MS_MIN * 5);
    expect(bench.requests).toBe(6);
  });

  it("that fails is tried again after ten seconds, and the certificate stays", async () => {
    const bench = new Bench();
    const identity = await bench.open();
    const renewals: string[] = [];
    identity.onRenewal(() => renewals.push("told"));
    bench.answer = () => new CertificateError("sentry_token", "no token");
    await bench.pass(12 * HOUR_MS + 1_000);
    expect([bench.requests, renewals]).toEqual([2, []]);
    await bench.pass(RENEWAL_RETRY_MS);
    expect(bench.requests).toBe(3);
    expect(bench.log).toEqual(["initialized", "renewal failed: sentry_token", "renewal failed: sentry_token"]);
    bench.answer = (nowMs) => ({ notBeforeMs: nowMs, notAfterMs: nowMs + HOUR_MS });
    await bench.pass(RENEWAL_RETRY_MS);
    expect(renewals).toEqual(["told"]);
  });

  it("that fails is tried more often where the certificate would end before", async () => {
    const bench = new Bench();
    bench.answer = (nowMs) => ({ notBeforeMs: nowMs, notAfterMs: nowMs + 8_000 });
    await bench.open();
    bench.answer = () => new Error("gone");
    await bench.pass(8_000);
    expect(bench.requests).toBeGreaterThan(4);
  });

  it.each<[string, (nowMs: number) => Partial<WorkloadCertificate>]>([
    ["certificates", (nowMs) => ({ notBeforeMs: nowMs - HOUR_MS, notAfterMs: nowMs - 60_000 })],
    [
      "tokens",
      (nowMs) => ({
        notBeforeMs: nowMs,
        notAfterMs: nowMs + HOUR_MS,
        token: { token: "t", audiences: ["public"], expiresMs: nowMs - 60_000 },
      }),
    ],
  ])("of %s that have been over for a while when they come is tried again after ten seconds", async (_, answer) => {
    const bench = new Bench();
    bench.answer = answer;
    await bench.open();
    await bench.pass(RENEWAL_RETRY_MS * 3);
    expect(bench.requests).toBe(4);
  });

  it("of certificates that are dated back by more than they live comes half-way through what is left", async () => {
    const bench = new Bench();
    bench.answer = (nowMs) => ({ notBeforeMs: nowMs - HOUR_MS, notAfterMs: nowMs + 60_000 });
    await bench.open();
    await bench.pass(29_000);
    expect(bench.requests).toBe(1);
    await bench.pass(2_000);
    expect(bench.requests).toBe(2);
  });

  it("with a certificate that TLS does not take fails, and the one of before stays in use", async () => {
    const bench = new Bench();
    const identity = await bench.open();
    const port = identity.serverTls();
    let told = 0;
    port.onRenewal(() => (told += 1));
    bench.answer = (nowMs) => ({
      id: { trustDomain: "public", namespace: "default", appId: "other" },
      chain: OTHER_CERT,
      notBeforeMs: nowMs,
      notAfterMs: nowMs + 24 * HOUR_MS,
    });
    await bench.pass(12 * HOUR_MS + 1_000);
    expect([bench.log.at(-1), identity.id.appId, told]).toEqual(["renewal failed: sign", "app", 0]);
    // What there is goes on with what changes.
    bench.trustAnchors.change(OTHER_CERT);
    expect(told).toBe(1);
  });

  it("ends with the identity", async () => {
    const bench = new Bench();
    const identity = await bench.open();
    identity.close();
    await bench.pass(48 * HOUR_MS);
    expect(bench.requests).toBe(1);
    expect(bench.trustAnchors.closed).toBe(true);
  });
});

it("a refusal of the first certificate says so", async () => {
  const bench = new Bench();
  bench.answer = () => new CertificateError("sign", "not you");
  await expect(bench.open()).rejects.toThrow("failed to retrieve the initial identity: not you");
  expect(bench.log).toEqual(["init failed: sign"]);
});

it("a first certificate of another key is refused", async () => {
  const bench = new Bench();
  bench.answer = () => ({ chain: OTHER_CERT });
  await expect(bench.open()).rejects.toThrow("failed to retrieve the initial identity: ");
  expect(bench.log).toEqual(["init failed: sign"]);
});

it("a wait that is given up throws the reason", async () => {
  const bench = new Bench();
  const stop = new Cancellation();
  stop.abort(new Error("stopping"));
  bench.answer = () => stop.reason;
  await expect(bench.open(stop)).rejects.toBe(stop.reason);
  expect(bench.log).toEqual([]);
});

it("other trust anchors are told like a new certificate, and ports follow", async () => {
  const bench = new Bench();
  const identity = await bench.open();
  const told: string[] = [];
  identity.onRenewal(() => told.push("identity"));
  const leave = identity.serverTls().onRenewal(() => told.push("port"));
  bench.trustAnchors.change(OTHER_CERT);
  expect(told).toEqual(["port", "identity"]);
  leave();
  bench.trustAnchors.change(OTHER_CERT);
  expect(told).toEqual(["port", "identity", "identity"]);
});

it("gives tokens to the audiences that they are for", async () => {
  const bench = new Bench();
  bench.answer = () => ({
    notAfterMs: HOUR_MS,
    token: { token: "all", audiences: ["public", "vault"], expiresMs: HOUR_MS },
    tokensByAudience: new Map([["vault", { token: "vault only", audiences: ["vault"], expiresMs: HOUR_MS }]]),
  });
  const identity = await bench.open();
  expect([identity.jwt("vault"), identity.jwt("public"), identity.jwt("other")]).toEqual([
    "vault only",
    "all",
    undefined,
  ]);
});
