import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

it("with --app-max-concurrency calls and messages reach the app no more than so many at a time, in order", async () => {
  const turns: PromiseWithResolvers<undefined>[] = [];
  await using app = await startTestApp({
    subscriptions: [{ pubsubname: "broker", topic: "topic", route: "/topic" }],
    answer: async ({ url }) => {
      if (url !== "/topic" && !url.startsWith("/call")) {
        return undefined;
      }
      const turn = Promise.withResolvers<undefined>();
      turns.push(turn);
      await turn.promise;
      return { body: url };
    },
  });
  await using one = await startTestSidecar({ appPort: app.port, resources: IN_MEMORY, appMaxConcurrency: 2 });
  expect(one.logger.said("app max concurrency set to 2")).toBe(true);
  const call = (name: string) => one.fetch(`/v1.0/invoke/test-app/method/${name}`).then((reply) => reply.text());
  const [first, second] = [call("call-1"), call("call-2")];
  await until("two calls are with the app", () => turns.length === 2);
  await one.fetch("/v1.0/publish/broker/topic", { method: "POST", body: "one" });
  expect(app.at("/topic")).toEqual([]);

  turns[0]?.resolve(undefined);
  await until("the message has taken the place", () => app.at("/topic").length === 1);
  const third = call("call-3");
  expect(turns).toHaveLength(3);
  for (const turn of turns) {
    turn.resolve(undefined);
  }
  await until("the last call is with the app", () => turns.length === 4);
  turns[3]?.resolve(undefined);
  expect(await Promise.all([first, second, third])).toEqual(["/call-1", "/call-2", "/call-3"]);
});
