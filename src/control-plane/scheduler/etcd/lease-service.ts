import { create } from "@bufbuild/protobuf";
import {
  type LeaseGrantRequest,
  type LeaseGrantResponse,
  LeaseGrantResponseSchema,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  LeaseKeepAliveResponseSchema,
  type LeaseLeasesResponse,
  LeaseLeasesResponseSchema,
  type LeaseRevokeRequest,
  type LeaseRevokeResponse,
  LeaseRevokeResponseSchema,
  type LeaseTimeToLiveRequest,
  type LeaseTimeToLiveResponse,
  LeaseTimeToLiveResponseSchema,
} from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import type { KeyStore } from "../store/key-store.ts";
import type { LeaseBook } from "../store/lease-book.ts";
import { etcdErrors } from "./etcd-errors.ts";
import { headerOf, leaseNumber } from "./etcd-values.ts";

/** etcd's own limit, in seconds. */
const TTL_S_MAX = 9_000_000_000n;

/** etcd's `Lease` service. */
export class LeaseService {
  readonly #store: KeyStore;
  readonly #leases: LeaseBook;

  constructor(store: KeyStore, leases: LeaseBook) {
    this.#store = store;
    this.#leases = leases;
  }

  grant({ TTL, ID }: LeaseGrantRequest): LeaseGrantResponse {
    if (TTL > TTL_S_MAX) {
      throw etcdErrors.leaseTtlTooLarge();
    }
    const asked = leaseNumber(ID);
    const ttlS = Math.max(1, Number(TTL));
    if (asked !== 0 && this.#leases.get(asked) !== undefined) {
      throw etcdErrors.leaseExists();
    }
    const lease = asked === 0 ? this.#leases.grant(ttlS) : this.#leases.grant(ttlS, asked);
    if (lease === undefined) {
      throw etcdErrors.tooManyRequests();
    }
    return create(LeaseGrantResponseSchema, {
      header: headerOf(this.#store),
      ID: BigInt(lease.id),
      TTL: BigInt(lease.ttlS),
    });
  }

  async revoke({ ID }: LeaseRevokeRequest): Promise<LeaseRevokeResponse> {
    if (!(await this.#leases.revoke(leaseNumber(ID)))) {
      throw etcdErrors.leaseNotFound();
    }
    return create(LeaseRevokeResponseSchema, { header: headerOf(this.#store) });
  }

  async *keepAlive(requests: AsyncIterable<LeaseKeepAliveRequest>): AsyncGenerator<LeaseKeepAliveResponse> {
    for await (const { ID } of requests) {
      const lease = this.#leases.keepAlive(leaseNumber(ID));
      const TTL = BigInt(lease?.ttlS ?? 0);
      yield create(LeaseKeepAliveResponseSchema, { header: headerOf(this.#store), ID, TTL });
    }
  }

  timeToLive({ ID, keys }: LeaseTimeToLiveRequest): LeaseTimeToLiveResponse {
    const lease = this.#leases.get(leaseNumber(ID));
    const header = headerOf(this.#store);
    if (lease === undefined) {
      return create(LeaseTimeToLiveResponseSchema, { header, ID, TTL: -1n });
    }
    return create(LeaseTimeToLiveResponseSchema, {
      header,
      ID,
      TTL: BigInt(this.#leases.remainingS(lease)),
      grantedTTL: BigInt(lease.ttlS),
      keys: keys ? [...lease.keys].map((key) => Buffer.from(key)) : [],
    });
  }

  all(): LeaseLeasesResponse {
    return create(LeaseLeasesResponseSchema, {
      header: headerOf(this.#store),
      leases: [...this.#leases.all].map(({ id }) => ({ ID: BigInt(id) })),
    });
  }
}
