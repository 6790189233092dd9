import type { JwtBundle } from "../jwt/jwt-bundle.ts";
import type { IssuerBundle } from "./bundle.ts";

/** What a sentry signs with; what is absent is generated. */
export interface Credentials {
  readonly issuer: IssuerBundle | undefined;
  readonly jwt: JwtBundle | undefined;
}

/** Where credentials are kept: files, or a secret of Kubernetes. */
export interface CredentialStore {
  /** For the log. */
  readonly description: string;
  /** @throws Error naming the place of what is there and cannot be used */
  load(): Promise<Credentials>;
  save(credentials: { readonly issuer: IssuerBundle; readonly jwt: JwtBundle | undefined }): Promise<void>;
}

/** The names of the five pieces, as files or as keys of a secret. */
export interface CredentialNames {
  readonly trustAnchors: string;
  readonly chain: string;
  readonly key: string;
  readonly jwtKey: string;
  readonly jwks: string;
}
