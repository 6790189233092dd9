import type { SecretsBlock } from "../../blocks/secrets/secrets-block.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import type { SecretResponse } from "../../wire/gen/dapr/proto/runtime/v1/secret_pb.js";
import type { ServiceHandlers } from "./service.ts";

/** The secrets methods of `dapr.proto.runtime.v1.Dapr`. */
export function secretsHandlers(
  block: SecretsBlock,
): Pick<ServiceHandlers<typeof Dapr>, "getSecret" | "getBulkSecret"> {
  return {
    getSecret: async ({ storeName, key, metadata }) => ({
      $typeName: "dapr.proto.runtime.v1.GetSecretResponse",
      data: await block.get({ store: storeName, key, metadata }),
    }),
    getBulkSecret: async ({ storeName, metadata }) => {
      const secrets = await block.bulkGet({ store: storeName, metadata });
      return {
        $typeName: "dapr.proto.runtime.v1.GetBulkSecretResponse",
        data: Object.fromEntries(
          Object.entries(secrets).map(([key, parts]): [string, SecretResponse] => [
            key,
            { $typeName: "dapr.proto.runtime.v1.SecretResponse", secrets: parts },
          ]),
        ),
      };
    },
  };
}
