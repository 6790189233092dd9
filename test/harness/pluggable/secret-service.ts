import { create } from "@bufbuild/protobuf";
import type { Secret } from "../../../src/components/spi/secret-store.ts";
import { GRPC_STATUS } from "../../../src/errors/grpc-status.ts";
import { methodsOf } from "../../../src/net/grpc/protobuf.ts";
import { GrpcError } from "../../../src/net/grpc/status.ts";
import {
  FeaturesResponseSchema,
  PingResponseSchema,
} from "../../../src/wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  BulkGetSecretResponseSchema,
  GetSecretResponseSchema,
  SecretStore as SecretStoreService,
  SecretStoreInitResponseSchema,
} from "../../../src/wire/gen/dapr/proto/components/v1/secretstore_pb.js";
import type { OfferedService } from "./component-server.ts";

/** A secret store behind a socket that holds exactly these. */
export function secretService(secrets: Readonly<Record<string, Secret>>, features: readonly string[]): OfferedService {
  return {
    service: SecretStoreService,
    register: (server) =>
      server.addService(methodsOf(SecretStoreService), {
        init: () => create(SecretStoreInitResponseSchema),
        features: () => create(FeaturesResponseSchema, { features: [...features] }),
        ping: () => create(PingResponseSchema),
        get: ({ key }) => {
          if (!Object.hasOwn(secrets, key)) {
            throw new GrpcError(GRPC_STATUS.NOT_FOUND, `no secret ${key}`);
          }
          return create(GetSecretResponseSchema, { data: { ...secrets[key] } });
        },
        bulkGet: () => {
          const data: Record<string, { secrets: Record<string, string> }> = {};
          for (const [name, parts] of Object.entries(secrets)) {
            data[name] = { secrets: { ...parts } };
          }
          return create(BulkGetSecretResponseSchema, { data });
        },
      }),
  };
}
