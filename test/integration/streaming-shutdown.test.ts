import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { TopicStream } from "../harness/topic-stream.ts";
import { until } from "../harness/until.ts";

it("stopping waits for the answer to what a stream holds, then ends it; a silent stream holds nothing up", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY, gracefulShutdownMs: 60_000 });
  await using stream = await TopicStream.to(one, "orders", "dead");
  await using dead = await TopicStream.to(one, "dead");
  await using silent = new TopicStream(one);
  await one.fetch("/v1.0/publish/broker/orders", { method: "POST", body: "1" });
  await until("the event is there", () => stream.events.length === 1);
  const stopping = one.sidecar.stop("host");
  await until("the others have ended", () => silent.end !== undefined && dead.end !== undefined);
  expect(stream.end).toBeUndefined();
  stream.answer(stream.events[0]?.id ?? "", "SUCCESS");
  expect(await stream.ended()).toEqual({ code: status.UNKNOWN, message: "stream closed" });
  await stopping;
  expect(silent.end?.message).toBe("api server closed");
  expect(dead.events).toEqual([]);
  expect(await one.sidecar.done).toEqual({ exitCode: 0 });
});
