import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { LocalServices } from "../../src/control-plane/local-services.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { InvokeActorRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorStream } from "../harness/actor-stream.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { recordingLogger } from "../harness/recording-logger.ts";
import { component } from "../harness/resources.ts";
import { eventually, startWatchedSidecar } from "../harness/watched-sidecar.ts";

const call = create(InvokeActorRequestSchema, {
  actorType: "t",
  actorId: "1",
  method: "m",
  data: Buffer.from("in"),
});
const store = (name: string, marker: string): string =>
  component(name, "state.in-memory", { actorStateStore: "true", marker });

it("the store of actors' state is exchanged under active actors, and a second one waits for its place", async () => {
  const services = new LocalServices({
    jobsFolder: undefined,
    clock: systemClock,
    random: systemRandom,
    logger: recordingLogger(),
  });
  {
    await using one = await startWatchedSidecar({ "a.yaml": store("one", "1") }, { deps: { services } });
    await using app = new ActorStream(one, (event) =>
      event.case === "invokeRequest"
        ? { case: "invokeResponse", value: { id: event.value.id, data: event.value.data } }
        : undefined,
    );
    await app.register({ entities: ["t"] });
    await eventually("the actor is hosted", () => one.grpc.call(daprMethods.invokeActor, call));
    const transact = async (): Promise<number> => {
      const response = await one.fetch("/v1.0/actors/t/1/state", {
        method: "POST",
        body: JSON.stringify([{ operation: "upsert", request: { key: "k", value: "v" } }]),
      });
      await response.arrayBuffer();
      return response.status;
    };
    const read = async (): Promise<number> => (await one.fetch("/v1.0/actors/t/1/state/k")).status;
    expect([await transact(), await read()]).toEqual([204, 200]);

    await one.folder.write("a.yaml", store("one", "2"));
    await eventually("the exchange", () => one.logger.said("Actor state store one updated - actor hosting continues"));
    expect([await read(), await transact(), await read()]).toEqual([204, 204, 200]);
    expect(app.of("deactivateRequest")).toEqual([]);

    await one.folder.write("b.yaml", store("two", "1"));
    await eventually("the refusal", () =>
      one.logger.said(
        "Skipping hot reload of two (state.in-memory/v1): one is already the actor state store, only one actor state store is allowed. The component will be applied if one is removed",
      ),
    );
    expect(await one.components()).toEqual(["one"]);
    expect(await read()).toBe(200);

    await one.remove("a.yaml");
    await eventually("the other store", async () => (await one.components())[0] === "two");
    await eventually("the actor is hosted again", () => one.grpc.call(daprMethods.invokeActor, call));
    expect(await transact()).toBe(204);
  }
  await services.close();
});
