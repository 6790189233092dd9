import type { Socket } from "node:net";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { CallOptions, ClientStream, GrpcClient, GrpcMethod } from "../../net/grpc/types.ts";
import { openSocket } from "../../net/h2/open-socket.ts";
import type { Transport } from "../../net/h2/transport.ts";
import type { PingRequest, PingResponse } from "../../wire/gen/dapr/proto/components/v1/common_pb.js";
import type { ComponentDeps } from "../spi/component.ts";
import {
  CALL_MS_MAX,
  PING_INTERVAL_MS,
  PING_MS_MAX,
  REINIT_MS_MAX,
  RETRY_WAIT_MS,
  RETRY_WAIT_MS_MAX,
} from "./limits.ts";
import { statusError } from "./status-error.ts";

/** By which a component that serves several resources tells them apart (Dapr's `metadataInstanceID`). */
const INSTANCE_HEADER = "x-component-instance";

/** Where a component was found, and how it is spoken to. */
export interface ComponentSocket {
  readonly path: string;
  readonly transport: Transport;
  /** Bytes of one message of the component. */
  readonly messageBytesMax: number;
  /** Full names of the gRPC services that it offers. */
  readonly services: ReadonlySet<string>;
}

/** A call during initialisation, before others are let through. */
export type InitCall = <I, O>(method: GrpcMethod<I, O>, request: I) => Promise<O>;

const PING: PingRequest = { $typeName: "dapr.proto.components.v1.PingRequest" };

const CONNECTION = "connection";
const LIVENESS = "liveness";

/**
 * One component resource's connection. A component that went away and came back has forgotten what it was told, so it is
 * initialised again before any other call reaches it; meanwhile calls fail at once when it cannot be reached.
 */
export class ComponentConnection {
  readonly #socket: ComponentSocket;
  readonly #deps: ComponentDeps;
  readonly #ping: GrpcMethod<PingRequest, PingResponse>;
  readonly #client: GrpcClient;
  #initialize: ((call: InitCall) => Promise<void>) | undefined;
  #state: "new" | "ready" | "lost" | "closed" = "new";
  #recovering: Promise<void> | undefined;
  #retry: Timer | undefined;
  #pinging: Timer | undefined;
  #waitMs = RETRY_WAIT_MS;
  #current: Socket | undefined;
  readonly #troubles = new Map<string, string>();

  constructor(socket: ComponentSocket, deps: ComponentDeps, ping: GrpcMethod<PingRequest, PingResponse>) {
    this.#socket = socket;
    this.#deps = deps;
    this.#ping = ping;
    this.#client = createGrpcClient(socket.transport, `unix:${socket.path}`, {
      headers: [INSTANCE_HEADER, deps.name],
      messageBytesMax: socket.messageBytesMax,
      transport: { connect: () => this.#connect() },
    });
  }

  /**
   * Connects and runs `initialize`, which will be run again whenever the component was away.
   * @throws ComponentError
   */
  async open(initialize: (call: InitCall) => Promise<void>, signal: AbortSignal): Promise<void> {
    this.#initialize = initialize;
    try {
      await initialize(this.#initCall({ signal }));
    } catch (error) {
      throw statusError(error);
    }
    if (this.#state === "new") {
      this.#state = "ready";
      this.#pinging = this.#deps.clock.every(PING_INTERVAL_MS, () => void this.#checkLiveness());
    }
  }

  /** @throws GrpcError of the component, or UNAVAILABLE while it is away */
  async unary<I, O>(method: GrpcMethod<I, O>, request: I, options: CallOptions = CALL_OPTIONS): Promise<O> {
    if (this.#state !== "ready") {
      await this.#recover();
    }
    return (await this.#client.unary(method, request, options)).response;
  }

  /** Opens a stream once the component is there. @throws GrpcError */
  async stream<I, O>(method: GrpcMethod<I, O>): Promise<ClientStream<I, O>> {
    if (this.#state !== "ready") {
      await this.#recover();
    }
    return this.#client.stream(method);
  }

  /**
   * Resolves when the component has answered, and so has seen what was sent before: nothing else tells that it has taken a
   * stream, since most servers send no head before their first message. Refusals are answers too.
   */
  async roundTrip(): Promise<void> {
    await this.#client.unary(this.#ping, PING, { timeoutMs: PING_MS_MAX }).catch(() => undefined);
  }

  /** Something about the component does not work, or works again: the resource is degraded while anything does not. */
  trouble(what: string, reason: string | undefined): void {
    if (reason === undefined) {
      this.#troubles.delete(what);
    } else {
      this.#troubles.set(what, reason);
    }
    if (this.#state === "closed") {
      return;
    }
    const [first] = this.#troubles.values();
    if (first === undefined) {
      this.#deps.report("ready");
    } else {
      this.#deps.report("degraded", first);
    }
  }

  async close(): Promise<void> {
    this.#state = "closed";
    this.#retry?.cancel();
    this.#pinging?.cancel();
    await this.#client.close();
  }

  #connect(): Socket {
    const socket = openSocket(`unix:${this.#socket.path}`);
    if (this.#state === "ready") {
      // The transport heard of the loss before we did.
      this.#lost("it has closed the connection");
    }
    this.#current = socket;
    for (const event of ["end", "error", "close"] as const) {
      socket.once(event, () => {
        if (this.#current === socket && this.#state === "ready") {
          this.#lost("it has closed the connection");
        }
      });
    }
    return socket;
  }

  #lost(reason: string): void {
    this.#state = "lost";
    this.#troubles.delete(LIVENESS);
    this.#deps.logger.warn(
      `the component behind ${this.#socket.path} is gone (${reason}); it is initialised again when it is back`,
    );
    this.trouble(CONNECTION, `the component behind ${this.#socket.path} is gone: ${reason}`);
    this.#waitMs = RETRY_WAIT_MS;
    this.#recoverLater();
  }

  #recoverLater(): void {
    this.#retry?.cancel();
    this.#retry = this.#deps.clock.after(this.#waitMs, () => {
      this.#recover().catch((error: unknown) => {
        this.trouble(CONNECTION, `the component behind ${this.#socket.path} is gone: ${errorMessage(error)}`);
        if (this.#state === "lost") {
          this.#waitMs = Math.min(this.#waitMs * 2, RETRY_WAIT_MS_MAX);
          this.#recoverLater();
        }
      });
    });
  }

  /** One attempt, shared by all who need it. */
  #recover(): Promise<void> {
    this.#recovering ??= this.#reinitialize().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #reinitialize(): Promise<void> {
    if (this.#initialize === undefined || this.#state === "closed" || this.#state === "new") {
      throw new GrpcError(GRPC_STATUS.CANCELLED, "the component is closed");
    }
    await this.#initialize(this.#initCall({ timeoutMs: REINIT_MS_MAX }));
    if (this.#state === "lost") {
      this.#state = "ready";
      this.#retry?.cancel();
      this.#deps.logger.info(`the component behind ${this.#socket.path} is back`);
      this.trouble(CONNECTION, undefined);
    }
  }

  #initCall(options: CallOptions): InitCall {
    return async (method, request) => (await this.#client.unary(method, request, options)).response;
  }

  /** A component that has no Ping, or refuses it, answers all the same. */
  async #checkLiveness(): Promise<void> {
    if (this.#state !== "ready") {
      return;
    }
    const late = new Cancellation();
    const timer = this.#deps.clock.after(PING_MS_MAX, () => late.abort(new Error("no answer")));
    await this.#client.unary(this.#ping, PING, { signal: late }).catch(() => undefined);
    timer.cancel();
    if (this.#state === "ready") {
      const silence = `the component behind ${this.#socket.path} has not answered for ${PING_MS_MAX} ms`;
      this.trouble(LIVENESS, late.aborted ? silence : undefined);
    }
  }
}

const CALL_OPTIONS: CallOptions = { timeoutMs: CALL_MS_MAX };
