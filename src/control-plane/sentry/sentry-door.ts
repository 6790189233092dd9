import { create } from "@bufbuild/protobuf";
import { StringValueSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Tracer } from "../../kit/trace-context.ts";
import { methodOf } from "../../net/grpc/protobuf.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import {
  CA,
  SignCertificateRequest_TokenValidator as TokenValidator,
  type SignCertificateRequest,
  type SignCertificateResponse,
  SignCertificateResponseSchema,
} from "../../wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { callSpans } from "../shared/call-spans.ts";
import { REQUEST_BYTES_MAX } from "./limits.ts";
import type { SentryService, SignRequest, SignResponse } from "./sentry-service.ts";

/** Dapr's `CA` service over gRPC. */
export function createSentryServer(service: SentryService, tracer?: Tracer): GrpcServer {
  const server = new GrpcServer({ messageBytesMax: REQUEST_BYTES_MAX, interceptors: callSpans(tracer) });
  server.add(methodOf(CA.method.signCertificate), async (request, call) =>
    toMessage(await service.sign(fromMessage(request), call.cancellation)),
  );
  return server;
}

const VALIDATORS: ReadonlyMap<TokenValidator, SignRequest["validator"]> = new Map([
  [TokenValidator.UNKNOWN, undefined],
  [TokenValidator.INSECURE, "insecure"],
  [TokenValidator.KUBERNETES, "kubernetes"],
  [TokenValidator.JWKS, "jwks"],
]);

function fromMessage(message: SignCertificateRequest): SignRequest {
  return {
    appId: message.id,
    namespace: message.namespace,
    trustDomain: message.trustDomain,
    token: message.token,
    csr: message.certificateSigningRequest,
    validator: VALIDATORS.has(message.tokenValidator) ? VALIDATORS.get(message.tokenValidator) : "unknown",
    jwtAudiences: message.jwtAudiences,
  };
}

function toMessage(response: SignResponse): SignCertificateResponse {
  return create(SignCertificateResponseSchema, {
    workloadCertificate: Buffer.from(response.certificatePem),
    trustChainCertificates: [Buffer.from(response.trustAnchorsPem)],
    validUntil: timestampFromMs(response.notAfterMs),
    perAudienceJwts: Object.fromEntries(
      [...response.jwtByAudience].map(([audience, value]) => [audience, create(StringValueSchema, { value })]),
    ),
    ...(response.jwt === undefined ? {} : { jwt: response.jwt }),
  });
}
