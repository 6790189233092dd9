import { create } from "@bufbuild/protobuf";
import { methodOf } from "../../net/grpc/protobuf.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import type { GrpcClient } from "../../net/grpc/types.ts";
import type { Transport } from "../../net/h2/transport.ts";
import type { WorkloadIdentity } from "../../security/identity.ts";
import { controlPlaneOptions } from "../../security/peer-options.ts";
import {
  Election as ElectionDescription,
  VoteRequestSchema,
  VoteResponseSchema,
} from "../../wire/gen/outrigger/placement/v1/election_pb.js";
import type { Vote, VoteRequest } from "./election.ts";

/** A member of `--initial-cluster`. */
export interface ClusterMember {
  readonly id: string;
  /** host:port */
  readonly address: string;
}

/** How long a member may take to answer; shorter than a campaign. */
const ASK_TIMEOUT_MS = 800;
/** Silence on a connection before it is looked at, and what the look may take: a member that is gone without a word. */
const KEEPALIVE_MS = 1_000;
const KEEPALIVE_TIMEOUT_MS = 2_000;

const voteMethod = methodOf(ElectionDescription.method.vote);

/** Serves `outrigger.placement.v1.Election` on the member's own address. */
export function createMemberServer(vote: (request: VoteRequest) => Vote): GrpcServer {
  const server = new GrpcServer();
  server.add(voteMethod, (request) => create(VoteResponseSchema, vote(request)));
  return server;
}

/** Connections to the other members. */
export class MemberClients {
  readonly #clients: ReadonlyMap<string, GrpcClient>;

  /** @param identity undefined: the members vote in plain text */
  constructor(transport: Transport, members: readonly ClusterMember[], identity: WorkloadIdentity | undefined) {
    const keepalive = { keepaliveMs: KEEPALIVE_MS, keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS };
    this.#clients = new Map(
      members.map(({ id, address }) => [
        id,
        createGrpcClient(transport, address, controlPlaneOptions(identity, address, "dapr-placement", keepalive)),
      ]),
    );
  }

  /** @throws GrpcError when the member does not answer in time */
  async ask(member: string, request: VoteRequest): Promise<Vote> {
    const client = this.#clients.get(member);
    if (client === undefined) {
      throw new Error(`there is no member ${member}`);
    }
    const { response } = await client.unary(voteMethod, create(VoteRequestSchema, request), {
      timeoutMs: ASK_TIMEOUT_MS,
    });
    return { granted: response.granted, holder: response.holder };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}
