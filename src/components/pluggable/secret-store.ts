import { create } from "@bufbuild/protobuf";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { FeaturesRequestSchema } from "../../wire/gen/dapr/proto/components/v1/common_pb.js";
import {
  BulkGetSecretRequestSchema,
  GetSecretRequestSchema,
  SecretStore as SecretStoreService,
  SecretStoreInitRequestSchema,
} from "../../wire/gen/dapr/proto/components/v1/secretstore_pb.js";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type { Secret, SecretStore } from "../spi/secret-store.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import { ComponentConnection, type ComponentSocket } from "./connection.ts";
import { statusError } from "./status-error.ts";

const METHODS = methodsOf(SecretStoreService);

/** A factory of secret stores behind one socket. */
export function pluggableSecretStore(socket: ComponentSocket): (deps: ComponentDeps) => SecretStore {
  return (deps) => new PluggableSecretStore(socket, deps);
}

class PluggableSecretStore implements SecretStore {
  capabilities: readonly string[] = [];
  readonly #connection: ComponentConnection;

  constructor(socket: ComponentSocket, deps: ComponentDeps) {
    this.#connection = new ComponentConnection(socket, deps, METHODS.ping);
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const request = create(SecretStoreInitRequestSchema, { metadata: { properties: metadata } });
    await this.#connection.open(async (call) => {
      await call(METHODS.init, request);
      this.capabilities = (await call(METHODS.features, create(FeaturesRequestSchema))).features;
    }, signal);
  }

  async getSecret(name: string, metadata: RequestMetadata): Promise<Secret> {
    try {
      const request = create(GetSecretRequestSchema, { key: name, metadata });
      return (await this.#connection.unary(METHODS.get, request)).data;
    } catch (error) {
      throw statusError(error);
    }
  }

  async bulkGetSecret(metadata: RequestMetadata): Promise<Readonly<Record<string, Secret>>> {
    try {
      const { data } = await this.#connection.unary(METHODS.bulkGet, create(BulkGetSecretRequestSchema, { metadata }));
      return Object.fromEntries(Object.entries(data).map(([name, { secrets }]) => [name, secrets]));
    } catch (error) {
      throw statusError(error);
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
