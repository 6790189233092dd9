import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { InvokeActorRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { type ActorEvent, ActorStream } from "../harness/actor-stream.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import type { TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const PATIENCE_MS = 30_000;

/** An app on a stream that keeps what its actors have counted until it is told of their deactivation, as SDKs do. */
class KeepingApp implements AsyncDisposable {
  readonly told: string[] = [];
  readonly called: string[] = [];
  readonly #sidecar: TestSidecar;
  readonly #kept = new Map<string, number>();
  #stream: ActorStream | undefined;

  constructor(sidecar: TestSidecar) {
    this.#sidecar = sidecar;
  }

  async connect(): Promise<void> {
    const stream = new ActorStream(this.#sidecar, (event) => this.#answer(event));
    this.#stream = stream;
    await stream.register({ entities: ["s"] });
  }

  /** The stream breaks; the app and its memory stay. */
  async disconnect(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.[Symbol.asyncDispose]();
  }

  #answer(event: ActorEvent): undefined {
    const stream = this.#stream;
    if (event.case === "deactivateRequest") {
      this.told.push(event.value.actorId);
      this.#kept.delete(event.value.actorId);
      stream?.send({ case: "deactivateResponse", value: { id: event.value.id } });
    } else if (event.case === "invokeRequest") {
      const { id, actorId } = event.value;
      this.called.push(actorId);
      this.#count(actorId).then(
        (count) => stream?.send({ case: "invokeResponse", value: { id, data: Buffer.from(String(count)) } }),
        (error: unknown) =>
          stream?.send({ case: "requestFailed", value: { id, code: GRPC_STATUS.INTERNAL, message: String(error) } }),
      );
    }
    return undefined;
  }

  async #count(id: string): Promise<number> {
    const state = `/v1.0/actors/s/${id}/state`;
    const before = this.#kept.get(id) ?? Number((await (await this.#sidecar.fetch(`${state}/n`)).text()) || 0);
    const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value: before + 1 } }]);
    const { ok, status } = await this.#sidecar.fetch(state, { method: "POST", body });
    if (!ok) {
      throw new Error(`not saved: ${status}`);
    }
    this.#kept.set(id, before + 1);
    return before + 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }
}

it("an app whose stream broke does not write what it remembers of an actor that has been elsewhere", async () => {
  await using cluster = await ActorCluster.start();
  const [here, there] = [await cluster.addSidecar(), await cluster.addSidecar()];
  await using broken = new KeepingApp(here);
  await using other = new KeepingApp(there);
  await broken.connect();
  await other.connect();
  const counted: number[] = [];
  const counts = async (actorId: string, where: KeepingApp): Promise<boolean> => {
    const before = where.called.length;
    const { data } = await there.grpc.call(
      daprMethods.invokeActor,
      create(InvokeActorRequestSchema, { actorType: "s", actorId, method: "count" }),
    );
    counted.push(Number(Buffer.from(data).toString()));
    return where.called.length > before;
  };

  const id = await until("an actor is found that lives with the one whose stream breaks", async () => {
    counted.length = 0;
    const candidate = crypto.randomUUID();
    return (await counts(candidate, broken)) ? candidate : undefined;
  });
  await broken.disconnect();
  await until("it counts at the other one", () => counts(id, other), PATIENCE_MS);
  await broken.connect();
  await until("it counts again where it was", () => counts(id, broken), PATIENCE_MS);
  await until("it goes on there", () => counts(id, broken), PATIENCE_MS);

  // Each of them counts on from the one before.
  expect(counted).toEqual([...new Set(counted)].toSorted((a, b) => a - b));
  expect(counted.length).toBeGreaterThan(3);
  expect(broken.told.filter((told) => told === id)).toEqual([id]);
});
