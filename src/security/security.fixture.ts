import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../net/http/self-signed.fixture.ts";
import type { TrustAnchors } from "./trust-anchors.ts";
import type { WorkloadCertificate } from "./workload-certificate.ts";

/** Of spiffe://public/ns/default/app for a hundred years, by an authority that nobody knows. */
export const WORKLOAD_CERT = `-----BEGIN CERTIFICATE-----
MIIBBjCBuaADAgECAgFlMAUGAytlcDAWMRQwEgYDVQQDEwt0ZXN0IGlzc3VlcjAg
Fw0yNjExMjIwMDAwMDBaGA8yMTI2MTEyMjAwMDAwMFowADAqMAUGAytlcAMhAMUz
v9N7Z9nPlimfWf8nKZd3BdrFGI0BxXBz79h+vm4fo0AwPjAOBgNVHQ8BAf8EBAMC
B4AwLAYDVR0RAQH/BCIwIIYec3BpZmZlOi8vcHVibGljL25zL2RlZmF1bHQvYXBw
MAUGAytlcANBANuAWUl319o3CzikcYyk+czLemY8mZDuvSb+e3GFmFE+fCXInilN
YryJBHPEHpUQH/sCfQp6atbLXPcCWbpKSw4=
-----END CERTIFICATE-----
`;

/** A certificate with the times that a test asks for; it is nobody's who could connect with it. */
export function certificateOf(facts: Partial<WorkloadCertificate>): WorkloadCertificate {
  return {
    id: { trustDomain: "public", namespace: "default", appId: "app" },
    chain: SELF_SIGNED_CERT,
    privateKey: SELF_SIGNED_KEY,
    notBeforeMs: 0,
    notAfterMs: 0,
    token: undefined,
    tokensByAudience: new Map(),
    ...facts,
  };
}

/** Trust anchors that a test exchanges. */
export class FakeTrustAnchors implements TrustAnchors {
  pem = SELF_SIGNED_CERT;
  closed = false;
  readonly #told = new Set<() => void>();

  onChange(told: () => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  change(pem: string): void {
    this.pem = pem;
    for (const told of this.#told) {
      told();
    }
  }

  close(): void {
    this.closed = true;
  }
}
