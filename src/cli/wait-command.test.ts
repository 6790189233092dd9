import { expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { fakeHost } from "./fake-host.fixture.ts";
import { waitUntilOutboundReady, type OutboundProbe } from "./wait-command.ts";

async function wait(probe: OutboundProbe, seconds: number) {
  const clock = new VirtualClock();
  const { host, err } = fakeHost();
  let done = false;
  void waitUntilOutboundReady("3501", host, clock, probe).then(() => {
    done = true;
  });
  for (let step = 0; step < seconds * 10; step++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(100);
  }
  await new Promise((resolve) => setImmediate(resolve));
  return { done, err };
}

it("returns when the sidecar is ready and complains once a second until then", async () => {
  let asked = 0;
  const { done, err } = await wait((url) => {
    asked++;
    return asked > 15 ? Promise.resolve() : Promise.reject(new Error(`no ${url}`));
  }, 3);
  const url = "http://localhost:3501/v1.0/healthz/outbound";
  expect(done).toBe(true);
  expect(err).toEqual([
    `Waiting for Dapr to be outbound ready (timeout: 60 seconds): url=${url}\n\n`,
    `Dapr outbound NOT ready yet: no ${url}\n`,
    `Dapr outbound NOT ready yet: no ${url}\n`,
    "Dapr is outbound ready!\n",
  ]);
});

it("gives up after a minute", async () => {
  const never: OutboundProbe = () => Promise.reject(new Error("HTTP status code 500"));
  expect((await wait(never, 59)).done).toBe(false);
  const { done, err } = await wait(never, 61);
  expect(done).toBe(true);
  expect(err.at(-1)).toBe("timeout waiting for Dapr to become outbound ready. Last error: HTTP status code 500\n");
});
