import { isAbsolute, join } from "node:path";
import type { OidcOptions, SentryOptions } from "../control-plane/sentry/sentry-options.ts";
import type { FlagDefinition, ParsedFlags } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { portOf, ROLE_FLAGS, roleFlag, RoleOptionsError } from "./role-flags.ts";
import type { Environment } from "./environment.ts";

/** Every flag of sentry 1.18.3 (cmd/sentry/options/options.go). */
export const SENTRY_FLAGS = [
  ...ROLE_FLAGS,
  roleFlag("string", "config", "daprsystem", "File of a Configuration, or in Kubernetes the name of one"),
  roleFlag("string", "issuer-ca-filename", "ca.crt", "File of the trust anchors"),
  roleFlag("string", "issuer-certificate-filename", "issuer.crt", "File of the issuer's certificate chain"),
  roleFlag(
    "string",
    "issuer-credentials",
    "/var/run/secrets/dapr.io/credentials",
    "Folder of the credentials' files; missing ones are generated",
  ),
  roleFlag("string", "issuer-key-filename", "issuer.key", "File of the issuer's private key"),
  roleFlag("string", "jwks-filename", "jwks.json", "File of the public keys of JWTs"),
  roleFlag("bool", "jwt-enabled", "false", "Give workloads JWTs too"),
  roleFlag("string", "jwt-issuer", "", "Issuer that JWTs name; none if empty"),
  roleFlag("string", "jwt-key-filename", "jwt.key", "File of the private key of JWTs"),
  roleFlag("string", "jwt-key-id", "", "Id of that key (kid); by default its SHA-256 thumbprint in base64"),
  roleFlag("string", "jwt-signing-algorithm", "RS256", "How JWTs are signed; must fit the key"),
  roleFlag("duration", "jwt-ttl", "24h0m0s", "Lifetime of JWTs"),
  roleFlag("string", "kubeconfig", "", "A kubeconfig file; by default $HOME/.kube/config"),
  roleFlag("string", "listen-address", "", "Address for workloads; empty for every interface"),
  roleFlag("strings", "oidc-allowed-hosts", "", "Hosts for which the OIDC server answers; any if empty"),
  roleFlag("bool", "oidc-enabled", "false", "Serve an OIDC discovery document and the public keys of JWTs"),
  roleFlag("string", "oidc-jwks-uri", "", "Where the keys are, as the document says it"),
  roleFlag("string", "oidc-path-prefix", "", "Prefix of the OIDC server's paths"),
  roleFlag("string", "oidc-server-listen-address", "localhost", "Address of the OIDC server"),
  roleFlag("int", "oidc-server-listen-port", "9080", "Port of the OIDC server"),
  roleFlag("string", "oidc-server-tls-cert-file", "", "File of the OIDC server's certificate"),
  roleFlag("bool", "oidc-server-tls-enabled", "true", "Serve OIDC with TLS"),
  roleFlag("string", "oidc-server-tls-key-file", "", "File of that certificate's key"),
  roleFlag("int", "port", "50001", "Port for workloads"),
  roleFlag("string", "trust-domain", "localhost", "Trust domain of the control plane"),
] as const satisfies readonly FlagDefinition[];

export type SentryFlag = (typeof SENTRY_FLAGS)[number];

const KUBECONFIG_BELOW_HOME = ".kube/config";

/** @throws RoleOptionsError for values that Dapr refuses too */
export function sentryOptions(
  flags: ParsedFlags<SentryFlag>,
  host: Pick<HostProcess, "env" | "userId">,
): SentryOptions {
  const { env, userId } = host;
  const mode = flags.text("mode");
  if (mode !== "kubernetes" && mode !== "standalone") {
    throw invalid(`invalid mode: ${mode}`);
  }
  const oidc = oidcOptions(flags);
  const jwtEnabled = flags.bool("jwt-enabled");
  if (flags.given("jwt-issuer") && !jwtEnabled) {
    throw invalid("jwt-issuer cannot be set when jwt-enabled is false");
  }
  const keyId = flags.given("jwt-key-id") ? flags.text("jwt-key-id") : undefined;
  const folder = flags.text("issuer-credentials");
  const fileIn = (name: string): string => (isAbsolute(name) ? name : join(folder, name));
  return {
    mode,
    configName: flags.text("config"),
    trustDomain: flags.text("trust-domain"),
    namespace: env["NAMESPACE"] ?? "default",
    port: portOf("port", flags.integer("port")),
    listenAddress: flags.text("listen-address"),
    credentials: {
      trustAnchors: fileIn(flags.text("issuer-ca-filename")),
      chain: fileIn(flags.text("issuer-certificate-filename")),
      key: fileIn(flags.text("issuer-key-filename")),
      // Dapr reads these two names only where they are absolute.
      jwtKey: isAbsolute(flags.text("jwt-key-filename")) ? flags.text("jwt-key-filename") : fileIn("jwt.key"),
      jwks: isAbsolute(flags.text("jwks-filename")) ? flags.text("jwks-filename") : fileIn("jwks.json"),
    },
    jwt: jwtEnabled
      ? {
          issuer: flags.given("jwt-issuer") ? flags.text("jwt-issuer") : undefined,
          algorithm: flags.text("jwt-signing-algorithm"),
          keyId,
          ttlMs: flags.milliseconds("jwt-ttl"),
        }
      : undefined,
    jwtKeyId: keyId,
    oidc: oidc !== undefined && jwtEnabled ? oidc : undefined,
    kubeconfig: flags.given("kubeconfig") ? flags.text("kubeconfig") : ownKubeconfig(env),
    userId,
    environment: env,
  };
}

function oidcOptions(flags: ParsedFlags<SentryFlag>): OidcOptions | undefined {
  const certFile = given(flags, "oidc-server-tls-cert-file");
  const keyFile = given(flags, "oidc-server-tls-key-file");
  const enabled = flags.bool("oidc-enabled");
  if (enabled && flags.bool("oidc-server-tls-enabled")) {
    for (const [flag, value] of [
      ["oidc-server-tls-cert-file", certFile],
      ["oidc-server-tls-key-file", keyFile],
    ] as const) {
      if (value === undefined) {
        throw invalid(`${flag} is required when OIDC HTTP server is enabled (unless oidc-server-tls-enabled is false)`);
      }
    }
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new RoleOptionsError("both OIDC TLS certificate and key must be provided if one is specified");
  }
  if (!enabled) {
    return undefined;
  }
  return {
    port: portOf("oidc-server-listen-port", flags.integer("oidc-server-listen-port")),
    listenAddress: flags.text("oidc-server-listen-address"),
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    jwksUri: given(flags, "oidc-jwks-uri"),
    pathPrefix: flags.text("oidc-path-prefix"),
    allowedHosts: flags.list("oidc-allowed-hosts"),
  };
}

function given(
  flags: ParsedFlags<SentryFlag>,
  name: Extract<SentryFlag, { kind: "string" }>["name"],
): string | undefined {
  return flags.given(name) ? flags.text(name) : undefined;
}

function ownKubeconfig(env: Environment): string {
  const home = env["HOME"] ?? "";
  return home === "" ? "" : join(home, KUBECONFIG_BELOW_HOME);
}

function invalid(message: string): RoleOptionsError {
  return new RoleOptionsError(`Invalid options: ${message}`);
}
