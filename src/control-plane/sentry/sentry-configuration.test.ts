import { describe, expect, it } from "vitest";
import { sentryConfiguration } from "./sentry-configuration.ts";

describe("spec.mtls as a sentry reads it", () => {
  it("has Dapr's defaults", () => {
    expect(sentryConfiguration(undefined, "standalone")).toEqual({
      workloadTtlMs: 24 * 3_600_000,
      skewMs: 15 * 60_000,
      validators: new Map([["insecure", new Map()]]),
      defaultValidator: "insecure",
    });
  });

  it("says how long certificates live", () => {
    expect(
      sentryConfiguration({ workloadCertTTL: "5s", allowedClockSkew: "250ms" } as never, "standalone"),
    ).toMatchObject({ workloadTtlMs: 5_000, skewMs: 250 });
  });

  it.each(["jwks", "JWKS"])("puts the validator %s in the place of the insecure one", (name) => {
    const tokenValidators = [{ name, options: { source: "x", minRefreshInterval: 120 } }];
    const read = sentryConfiguration({ tokenValidators } as never, "standalone");
    expect(read.defaultValidator).toBeUndefined();
    expect(read.validators).toEqual(
      new Map([
        [
          "jwks",
          new Map([
            ["source", "x"],
            ["minRefreshInterval", "120"],
          ]),
        ],
      ]),
    );
  });

  it("keeps the one of Kubernetes there", () => {
    const read = sentryConfiguration({ tokenValidators: [{ name: "jwks" }] } as never, "kubernetes");
    expect([...read.validators.keys()]).toEqual(["kubernetes", "jwks"]);
    expect(read.defaultValidator).toBe("kubernetes");
  });

  it.each([
    [{ workloadCertTTL: "long" }, 'error parsing WorkloadCertTTL duration: time: invalid duration "long"'],
    [{ allowedClockSkew: "1" }, 'error parsing AllowedClockSkew duration: time: missing unit in duration "1"'],
    [{ tokenValidators: [{ name: "x" }] }, "invalid token validator name: 'x'; supported values: 'jwks'"],
    [
      { tokenValidators: [{ name: "Insecure" }] },
      "invalid token validator: the built-in 'kubernetes' and 'insecure' validators cannot be configured manually",
    ],
  ])("refuses %j", (mtls, message) => {
    expect(() => sentryConfiguration(mtls as never, "standalone")).toThrow(message);
  });
});
