import fc from "fast-check";
import { expect, test } from "vitest";
import { createBlockFixture, settle } from "../../blocks/pubsub/pubsub.fixture.ts";
import { createSubscriptions } from "../../blocks/pubsub/subscriptions.ts";
import { ApiError } from "../../errors/error.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { type Request, Requests } from "./subscribe.fixture.ts";
import { subscribeHandlers } from "./subscribe.ts";

const name = fc.constantFrom("", "pubsub", "nope", "orders", "\u0000");
const id = fc.constantFrom("", "1", "2", "3");
const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    case: fc.constant("initialRequest" as const),
    value: fc.record({ pubsubName: name, topic: name, deadLetterTopic: fc.option(name, { nil: undefined }) }),
  }),
  fc.record({
    case: fc.constant("eventProcessed" as const),
    value: fc.record({
      id,
      status: fc.option(fc.record({ status: fc.integer({ min: -1, max: 4 }) }), { nil: undefined }),
    }),
  }),
  fc.constant<Request>({ case: undefined }),
);
const OPENING: Request = { case: "initialRequest", value: { pubsubName: "pubsub", topic: "orders" } };
const data = fc.oneof(
  id.map((text) => JSON.stringify({ id: text, datacontenttype: "text/plain", data: "x" })),
  fc.constantFrom("", "no event", "null", "[]", '{"data_base64":5}'),
);
const step = fc.oneof(
  request.map((sent) => ({ kind: "send" as const, sent })),
  data.map((pushed) => ({ kind: "push" as const, pushed })),
);

async function drain(responses: AsyncIterator<unknown>): Promise<void> {
  while ((await responses.next()).done !== true);
}

test("whatever a caller sends, every message is settled once and every refusal is in the catalogue", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom("close", "cancel", "stop"),
      async (opens, steps, end) => {
        const fixture = createBlockFixture();
        const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
        const requests = new Requests();
        const responses = subscribeHandlers(subscriptions.streams).subscribeTopicEventsAlpha1(
          requests,
          {} as ServerCall,
        );
        const read = drain(responses[Symbol.asyncIterator]());
        let failure: unknown;
        read.catch((error: unknown) => (failure = error));
        const pushes: Promise<unknown>[] = [];
        if (opens) {
          requests.send(OPENING);
        }
        for (const one of steps) {
          if (one.kind === "send") {
            requests.send(one.sent);
          } else if (fixture.broker.handlers.has("orders")) {
            pushes.push(fixture.broker.push("orders", one.pushed).then(String, String));
          }
          await settle();
        }
        if (end === "stop") {
          requests.close();
          await subscriptions.close();
        }
        requests[end === "cancel" ? "cancel" : "close"]();
        await Promise.allSettled([read, ...pushes]);
        const cancelled = failure instanceof Error && failure.message === "the call was cancelled";
        expect(failure === undefined || cancelled || failure instanceof ApiError).toBe(true);
        expect(subscriptions.list()).toEqual([]);
        await subscriptions.close();
      },
    ),
    { numRuns: 200 },
  );
});
