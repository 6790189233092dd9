import { describe, expect, it } from "vitest";
import { parseFlags } from "./flag-set.ts";
import { SENTRY_FLAGS, sentryOptions } from "./sentry-flags.ts";

function options(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return sentryOptions(parseFlags(SENTRY_FLAGS, args), { env, userId: 1_000 });
}

const FOLDER = "/var/run/secrets/dapr.io/credentials";

describe("sentry's flags", () => {
  it("have Dapr's defaults", () => {
    expect(options([], { HOME: "/somebody" })).toEqual({
      mode: "standalone",
      configName: "daprsystem",
      trustDomain: "localhost",
      namespace: "default",
      port: 50_001,
      listenAddress: "",
      credentials: {
        trustAnchors: `${FOLDER}/ca.crt`,
        chain: `${FOLDER}/issuer.crt`,
        key: `${FOLDER}/issuer.key`,
        jwtKey: `${FOLDER}/jwt.key`,
        jwks: `${FOLDER}/jwks.json`,
      },
      jwt: undefined,
      jwtKeyId: undefined,
      oidc: undefined,
      kubeconfig: "/somebody/.kube/config",
      userId: 1_000,
      environment: { HOME: "/somebody" },
    });
  });

  it("name files in the folder, or anywhere", () => {
    const { credentials } = options([
      "--issuer-credentials=/c",
      "--issuer-ca-filename=root.pem",
      "--issuer-key-filename=/k/issuer.key",
      "--jwt-key-filename=other.key",
      "--jwks-filename=/k/set.json",
    ]);
    expect(credentials).toEqual({
      trustAnchors: "/c/root.pem",
      chain: "/c/issuer.crt",
      key: "/k/issuer.key",
      jwtKey: "/c/jwt.key",
      jwks: "/k/set.json",
    });
  });

  it("turn JWTs and OIDC on", () => {
    const read = options([
      "--jwt-enabled",
      "--jwt-issuer=https://i.example",
      "--jwt-ttl=1h",
      "--jwt-signing-algorithm=ES256",
      "--jwt-key-id=k",
      "--oidc-enabled",
      "--oidc-server-tls-cert-file=/t/c",
      "--oidc-server-tls-key-file=/t/k",
      "--oidc-allowed-hosts=a,b",
      "--oidc-path-prefix=/p",
      "--oidc-jwks-uri=https://j.example",
    ]);
    expect(read.jwt).toEqual({ issuer: "https://i.example", algorithm: "ES256", keyId: "k", ttlMs: 3_600_000 });
    expect(read.oidc).toEqual({
      port: 9_080,
      listenAddress: "localhost",
      tls: { certFile: "/t/c", keyFile: "/t/k" },
      jwksUri: "https://j.example",
      pathPrefix: "/p",
      allowedHosts: ["a", "b"],
    });
    expect(options(["--oidc-enabled", "--oidc-server-tls-enabled=false"]).oidc).toBeUndefined();
  });

  it.each([
    [["--mode=raft"], "Invalid options: invalid mode: raft"],
    [["--jwt-issuer=x"], "Invalid options: jwt-issuer cannot be set when jwt-enabled is false"],
    [
      ["--oidc-enabled"],
      "Invalid options: oidc-server-tls-cert-file is required when OIDC HTTP server is enabled (unless oidc-server-tls-enabled is false)",
    ],
    [
      ["--oidc-enabled", "--oidc-server-tls-cert-file=c"],
      "Invalid options: oidc-server-tls-key-file is required when OIDC HTTP server is enabled (unless oidc-server-tls-enabled is false)",
    ],
    [["--oidc-server-tls-key-file=k"], "both OIDC TLS certificate and key must be provided if one is specified"],
    [["--port=70000"], "invalid value for --port: 70000 is not a port"],
  ])("refuse %j", (args, message) => {
    expect(() => options(args)).toThrow(message);
  });
});
