import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { LocalServices } from "../../src/control-plane/local-services.ts";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { systemRandom } from "../../src/kit/random.ts";
import {
  InvokeActorRequestSchema,
  RegisterActorReminderRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorStream } from "../harness/actor-stream.ts";
import { countingClock } from "../harness/counting-clock.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { recordingLogger } from "../harness/recording-logger.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const ACTOR = { actorType: "s", actorId: "1" };
const call = create(InvokeActorRequestSchema, { ...ACTOR, method: "m", data: Buffer.from("in") });

it("an app's stream hosts actors over the services of the process, for other sidecars of it too", async () => {
  const clock = countingClock();
  const services = new LocalServices({
    jobsFolder: undefined,
    clock,
    random: systemRandom,
    logger: recordingLogger(),
  });
  const deps = { services, shared: createSharedScope(), clock };
  const resources = component("store", "state.in-memory", { actorStateStore: "true" });
  {
    await using hosting = await startTestSidecar({ appId: "host", resources, deps });
    await using asking = await startTestSidecar({ appId: "asker", resources, deps });
    const metadata = (await (await asking.fetch("/v1.0/metadata")).json()) as { actorRuntime: unknown };
    expect(metadata.actorRuntime).toMatchObject({ runtimeStatus: "RUNNING", placement: "placement: connected" });
    expect((await asking.fetch("/v1.0/healthz")).status).toBe(204);

    await using app = new ActorStream(hosting, (event) => {
      if (event.case === "invokeRequest") {
        const { id, data } = event.value;
        return { case: "invokeResponse", value: { id, data: Buffer.concat([data, Buffer.from("+out")]) } };
      }
      return event.case === "reminderRequest" ? { case: "reminderResponse", value: { id: event.value.id } } : undefined;
    });
    await app.register({ entities: ["s"] });
    for (const sidecar of [asking, hosting]) {
      const answer = await until("the actor is hosted", () => sidecar.grpc.call(daprMethods.invokeActor, call));
      expect(Buffer.from(answer.data).toString()).toBe("in+out");
    }
    const reminder = create(RegisterActorReminderRequestSchema, { ...ACTOR, name: "r", dueTime: "0s" });
    expect(await asking.grpc.failure(daprMethods.registerActorReminder, reminder)).toMatchObject({ code: 7 });
    await hosting.grpc.call(daprMethods.registerActorReminder, reminder);
    await until("the reminder has come", () => app.of("reminderRequest").length === 1);
  }
  await services.close();
  expect(clock.pendingTimers).toBe(0);
});
