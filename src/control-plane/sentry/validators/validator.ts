import type { CancelSignal } from "../../../kit/cancel-signal.ts";

/** The ways in which a workload can prove who it is. */
export type ValidatorName = "insecure" | "kubernetes" | "jwks";

/** What a workload asks for. Nothing of it is proven. */
export interface CertificateRequest {
  readonly appId: string;
  readonly namespace: string;
  /** Empty: the public one. */
  readonly trustDomain: string;
  readonly token: string;
  /** PKCS#10, PEM. */
  readonly csr: Uint8Array;
}

/** Proves that a workload is who it says. */
export interface Validator {
  /** Resolves when it can judge; rejects with what ends the service. */
  start(): Promise<void>;
  /**
   * @returns the trust domain that the workload belongs to
   * @throws Error with the reason, which the workload is told with PERMISSION_DENIED
   */
  validate(request: CertificateRequest, signal: CancelSignal): Promise<string>;
  stop(): Promise<void>;
}
