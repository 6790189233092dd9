import type { JwtOptions } from "./jwt/jwt-issuer.ts";
import type { CredentialNames } from "./issuer/credential-store.ts";
import type { ValidatorName } from "./validators/validator.ts";

/** Sentry's own flags and environment, read. */
export interface SentryOptions {
  readonly mode: "standalone" | "kubernetes";
  /** `--config`: a file, or in Kubernetes the name of a Configuration. */
  readonly configName: string;
  readonly trustDomain: string;
  /** `NAMESPACE`: of the sentry and the control plane. */
  readonly namespace: string;
  readonly port: number;
  readonly listenAddress: string;
  /** Files; in Kubernetes their base names are the keys of the secret. */
  readonly credentials: CredentialNames;
  readonly jwt: Omit<JwtOptions, "skewMs"> | undefined;
  /** `--jwt-key-id`, by which a key set is checked also where no JWTs are made. */
  readonly jwtKeyId: string | undefined;
  readonly oidc: OidcOptions | undefined;
  /** A kubeconfig file; absent or missing: the pod's service account. */
  readonly kubeconfig: string;
  /** -1 where the system has none. */
  readonly userId: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface OidcOptions {
  readonly port: number;
  readonly listenAddress: string;
  /** Undefined: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Undefined: made of each request's host. */
  readonly jwksUri: string | undefined;
  readonly pathPrefix: string;
  /** Empty: any. */
  readonly allowedHosts: readonly string[];
}

/** What the Configuration says to a sentry. */
export interface SentryConfiguration {
  readonly workloadTtlMs: number;
  readonly skewMs: number;
  /** What each one is told. */
  readonly validators: ReadonlyMap<ValidatorName, ReadonlyMap<string, string>>;
  readonly defaultValidator: ValidatorName | undefined;
}
