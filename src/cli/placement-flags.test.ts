import { describe, expect, it } from "vitest";
import { parseFlags } from "./flag-set.ts";
import { PLACEMENT_FLAGS, placementOptions } from "./placement-flags.ts";

function options(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return placementOptions(parseFlags(PLACEMENT_FLAGS, args), env);
}

describe("placement's flags", () => {
  it("have Dapr's defaults", () => {
    expect(options([])).toEqual({
      id: "dapr-placement-0",
      members: [{ id: "dapr-placement-0", address: "127.0.0.1:8201" }],
      port: 50005,
      listenAddress: "",
      metadataEnabled: false,
      replicationFactor: 100,
      keepaliveMs: 2_000,
      keepaliveTimeoutMs: 3_000,
      disseminateTimeoutMs: 8_000,
      coalesceWindowMs: 0,
    });
  });

  it("name the members, passing over what is none", () => {
    expect(options(["--id=b", "--initial-cluster=a=h1:1, b = h2:2 ,c,d=e=f"]).members).toEqual([
      { id: "a", address: "h1:1" },
      { id: "b", address: "h2:2" },
    ]);
  });

  it.each([
    [[], {}, false],
    [[], { DAPR_PLACEMENT_METADATA_ENABLED: "true" }, true],
    [["--metadata-enabled"], {}, true],
    [["--metadata-enabled=false"], { DAPR_PLACEMENT_METADATA_ENABLED: "true" }, false],
  ] as const)("show the tables with %j and %j: %s", (args, env, expected) => {
    expect(options(args, env).metadataEnabled).toBe(expected);
  });

  it.each([
    ["--keepalive-time=20s", "invalid value for keepalive-time: value should be between 1s and 10s, got 20s"],
    ["--keepalive-timeout=10ms", "invalid value for keepalive-timeout: value should be between 1s and 10s, got 10ms"],
    ["--replicationFactor=0", "invalid value for replicationFactor: value should be between 1 and 10000, got 0"],
    ["--port=70000", "invalid value for --port: 70000 is not a port"],
    ["--initial-cluster=a=h:1,a=h:2", "invalid value for initial-cluster: found duplicate ID in configuration: a"],
    ["--initial-cluster=a=host", "invalid value for initial-cluster: address host of a: missing port in address"],
    ["--trust-domain=", "control plane trust domain is required"],
    ["--trust-domain=A/b", "invalid control plane trust domain"],
  ])("refuse %s", (arg, message) => {
    expect(() => options([arg])).toThrow(message);
  });

  it("say how it comes to its certificates", () => {
    expect(options([]).tls).toBeUndefined();
    expect(options(["--tls-enabled"]).tls).toEqual({
      sentryAddress: "dapr-sentry.default.svc:443",
      trustDomain: "localhost",
      namespace: "default",
      trustAnchorsFile: "/var/run/secrets/dapr.io/tls/ca.crt",
      localIdentity: "",
      tokenFile: undefined,
    });
  });

  it("take the ones that are going, and say so", () => {
    const flags = parseFlags(PLACEMENT_FLAGS, ["--max-api-level=10", "-min-api-level", "0"]);
    expect(flags.notices).toEqual([
      "Flag --max-api-level has been deprecated, this flag will be removed in future releases",
      "Flag --min-api-level has been deprecated, this flag will be removed in future releases",
    ]);
  });
});
