import { create } from "@bufbuild/protobuf";
import type { Random } from "../../../kit/random.ts";
import { methodsOf } from "../../../net/grpc/protobuf.ts";
import { GRPC_STATUS } from "../../../errors/grpc-status.ts";
import { GrpcError } from "../../../net/grpc/status.ts";
import {
  Lease,
  LeaseGrantRequestSchema,
  LeaseKeepAliveRequestSchema,
  LeaseRevokeRequestSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import { LEASE_CALL_MS_MAX } from "../limits.ts";
import type { EtcdClient } from "./etcd-client.ts";
import { keyStoreError } from "./etcd-messages.ts";
import type { Leases } from "./leases.ts";

const LEASE = methodsOf(Lease);
/** Numbers of leases are exact in JavaScript; etcd lets its clients choose them. */
const LEASE_ID_MAX = 2 ** 52;

/** Leases of an etcd. */
export class EtcdLeases implements Leases {
  readonly #client: EtcdClient;
  readonly #random: Random;

  constructor(client: EtcdClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  async grant(ttlS: number): Promise<number> {
    const id = 1 + Math.floor(this.#random.next() * LEASE_ID_MAX);
    try {
      const request = create(LeaseGrantRequestSchema, { TTL: BigInt(ttlS), ID: BigInt(id) });
      await this.#client.callOnce(LEASE.leaseGrant, request, LEASE_CALL_MS_MAX);
      return id;
    } catch (error) {
      throw keyStoreError(error);
    }
  }

  async keepAlive(id: number): Promise<boolean> {
    try {
      const stream = await this.#client.stream(LEASE.leaseKeepAlive, { timeoutMs: LEASE_CALL_MS_MAX });
      try {
        stream.send(create(LeaseKeepAliveRequestSchema, { ID: BigInt(id) }))?.catch(() => undefined);
        for await (const { TTL } of stream.responses) {
          return TTL > 0n;
        }
      } finally {
        stream.cancel();
      }
      throw new GrpcError(GRPC_STATUS.UNAVAILABLE, "the lease was not answered");
    } catch (error) {
      this.#client.streamFailed(error);
      throw keyStoreError(error);
    }
  }

  async revoke(id: number): Promise<void> {
    try {
      const request = create(LeaseRevokeRequestSchema, { ID: BigInt(id) });
      await this.#client.callOnce(LEASE.leaseRevoke, request, LEASE_CALL_MS_MAX);
    } catch (error) {
      if (!GrpcError.is(error) || error.code !== GRPC_STATUS.NOT_FOUND) {
        throw keyStoreError(error);
      }
    }
  }
}
