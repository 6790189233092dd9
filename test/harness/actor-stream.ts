import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  SubscribeActorEventsRequestAlpha1Schema,
  type SubscribeActorEventsResponseAlpha1,
} from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { daprMethods } from "./grpc-caller.ts";
import type { TestSidecar } from "./test-sidecar.ts";
import type { StreamEnd } from "./topic-stream.ts";
import { until } from "./until.ts";

type Answer = NonNullable<MessageInitShape<typeof SubscribeActorEventsRequestAlpha1Schema>["requestType"]>;
type Initial = Extract<Answer, { case: "initialRequest" }>["value"];
export type ActorEvent = SubscribeActorEventsResponseAlpha1["responseType"];

const method = daprMethods.subscribeActorEventsAlpha1;

/** An app that hosts its actors on one call of SubscribeActorEventsAlpha1, over grpc-js. */
export class ActorStream implements AsyncDisposable {
  /** In the order in which they came. */
  readonly events: ActorEvent[] = [];
  end: StreamEnd | undefined;
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;

  /** @param answer of each event; undefined: the test answers */
  constructor({ sidecar }: TestSidecar, answer: (event: ActorEvent) => Answer | undefined = () => undefined) {
    this.#client = new Client(`127.0.0.1:${sidecar.ports.grpc ?? 0}`, credentials.createInsecure());
    this.#call = this.#client.makeBidiStreamRequest(
      method.path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
    );
    this.#call.on("data", (bytes: Buffer) => {
      const { responseType: event } = method.decodeResponse(bytes);
      this.events.push(event);
      const reply = answer(event);
      if (reply !== undefined) {
        this.send(reply);
      }
    });
    this.#call.on("status", ({ code, details }) => (this.end = { code, message: details }));
    this.#call.on("error", (_: ServiceError) => undefined);
  }

  /** Says what it hosts, and waits for the sidecar's word. */
  async register(initial: Initial): Promise<void> {
    this.send({ case: "initialRequest", value: initial });
    await until("the stream has its initial response", () => this.of("initialResponse").length > 0);
  }

  of<C extends NonNullable<ActorEvent["case"]>>(kind: C): Extract<ActorEvent, { case: C }>["value"][] {
    return this.events.filter((event) => event.case === kind).map(({ value }) => value as never);
  }

  send(requestType: Answer): void {
    this.#call.write(
      Buffer.from(method.encodeRequest(create(SubscribeActorEventsRequestAlpha1Schema, { requestType }))),
    );
  }

  closeSend(): void {
    this.#call.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call.cancel();
    this.#client.close();
  }
}
