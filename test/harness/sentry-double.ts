import "reflect-metadata";
import { createServer } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import { methodOf } from "../../src/net/grpc/protobuf.ts";
import { GrpcServer } from "../../src/net/grpc/server.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { type Listener, listen } from "../../src/net/http/listener.ts";
import type { MtlsOptions } from "../../src/sidecar/options.ts";
import {
  CA,
  type SignCertificateRequest,
  SignCertificateResponseSchema,
} from "../../src/wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { TestAuthority } from "./test-authority.ts";

/** What a sentry double says; its fields may be changed while it runs. */
export interface SentryBehaviour {
  /** Of certificates, in milliseconds; the certificate counts whole seconds. */
  ttlMs: number;
  /** The workload's trust domain where the request names none. */
  trustDomain: string;
  /** Thrown in place of an answer. */
  refusal: Error | undefined;
  /** The URIs of the certificate in place of the one asked for. */
  uris: readonly string[] | undefined;
  /** Tokens in the answer: for all audiences, and by audience. */
  token: string | undefined;
  tokensByAudience: Readonly<Record<string, string>>;
}

/** A certificate authority with Dapr's protocol that believes everybody, in this process. */
export class SentryDouble implements AsyncDisposable {
  readonly authority: TestAuthority;
  readonly behaviour: SentryBehaviour = {
    ttlMs: 3_600_000,
    trustDomain: "public",
    refusal: undefined,
    uris: undefined,
    token: undefined,
    tokensByAudience: {},
  };
  readonly requests: SignCertificateRequest[] = [];
  #listener: Listener | undefined;

  private constructor(authority: TestAuthority) {
    this.authority = authority;
  }

  /** @param options `identity`: the SPIFFE id in its own certificate, in place of the sentry's; `port`: 0 for any */
  static async start(
    options: { readonly authority?: TestAuthority; readonly identity?: string; readonly port?: number } = {},
  ): Promise<SentryDouble> {
    const { authority = await TestAuthority.create(), port = 0 } = options;
    const double = new SentryDouble(authority);
    const { chain, privateKey } = await authority.issue({
      uris: [options.identity ?? "spiffe://localhost/ns/default/dapr-sentry"],
    });
    const server = new GrpcServer();
    server.add(methodOf(CA.method.signCertificate), (request) => double.#sign(request));
    double.#listener = await listen(
      { host: "127.0.0.1", port },
      {
        h2: createH2Transport().createServer(server.accept),
        secure: createServer({ cert: chain, key: privateKey, ALPNProtocols: ["h2"] }),
      },
    );
    return double;
  }

  get address(): string {
    return this.#listener?.address ?? "";
  }

  /** What makes a sidecar ask here. */
  mtls(facts: Partial<MtlsOptions> = {}): MtlsOptions {
    return {
      sentryAddress: this.address,
      controlPlane: { trustDomain: "localhost", namespace: "default" },
      trustAnchors: this.authority.trustAnchors,
      jwtAudiences: [],
      localIdentity: "",
      tokenFile: undefined,
      ...facts,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close(0);
  }

  async #sign(request: SignCertificateRequest) {
    const { ttlMs, trustDomain, refusal, uris, token, tokensByAudience } = this.behaviour;
    this.requests.push(request);
    if (refusal !== undefined) {
      throw refusal;
    }
    const csr = new Pkcs10CertificateRequest(Buffer.from(request.certificateSigningRequest).toString("latin1"));
    if (!(await csr.verify())) {
      throw new Error("the request is not signed with its key");
    }
    const own = `spiffe://${request.trustDomain || trustDomain}/ns/${request.namespace}/${request.id}`;
    const notAfterMs = Date.now() + ttlMs;
    const { chain } = await this.authority.issue({
      uris: uris ?? [own],
      publicKey: new Uint8Array(csr.publicKey.rawData),
      notBeforeMs: Date.now() - 1_000,
      notAfterMs,
    });
    return create(SignCertificateResponseSchema, {
      workloadCertificate: Buffer.from(chain, "latin1"),
      validUntil: timestampFromMs(notAfterMs),
      ...(token === undefined ? {} : { jwt: token }),
      perAudienceJwts: Object.fromEntries(
        Object.entries(tokensByAudience).map(([audience, value]) => [audience, { value }]),
      ),
    });
  }
}
