import { expect, test } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { RETRY_MS_MAX, WATCH_IDLE_MS, WATCHED_APPS_MAX } from "./limits.ts";
import { type AskForApp, WatchedApps } from "./watched-apps.ts";

/** Lets what has been settled go on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp(answer: AskForApp) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const ask: AskForApp = (appId, index, signal) => {
    asked.push(`${appId} ${index ?? ""}`.trim());
    return answer(appId, index, signal);
  };
  return { clock, asked, apps: new WatchedApps(ask, clock, silentLogger) };
}

/** The first question is answered at once, what follows when the signal says so. */
const once: AskForApp = (appId, index, signal) =>
  index === undefined
    ? Promise.resolve({ addresses: [`${appId}:1`], index: 5 })
    : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("as many apps are followed as are allowed; for the next one the agent is asked", async () => {
  const { apps, asked } = setUp(once);
  for (let app = 0; app <= WATCHED_APPS_MAX; app += 1) {
    expect(apps.find(`app-${app}`)).toBeUndefined();
  }
  await turn();
  expect(apps.find("app-0")).toEqual(["app-0:1"]);
  expect(apps.find(`app-${WATCHED_APPS_MAX}`)).toBeUndefined();
  expect(asked).toHaveLength(2 * WATCHED_APPS_MAX);
  apps.close();
});

test("an app that nobody calls makes room for another", async () => {
  const { apps, asked, clock } = setUp(once);
  for (let app = 0; app < WATCHED_APPS_MAX; app += 1) {
    apps.find(`app-${app}`);
  }
  await turn();
  clock.advance(WATCH_IDLE_MS + 1);
  apps.find("app-0");
  expect(apps.find("new")).toBeUndefined();
  await turn();
  expect(apps.find("new")).toEqual(["new:1"]);
  expect(apps.find("app-0")).toEqual(["app-0:1"]);
  const before = asked.length;
  expect(apps.find("app-1")).toBeUndefined();
  expect(asked).toHaveLength(before + 1);
  apps.close();
});

test("what fails is tried again, ever more rarely, and nothing is known meanwhile", async () => {
  const { apps, asked, clock } = setUp(() => Promise.reject(new Error("no agent")));
  apps.find("a");
  for (const waitMs of [1_000, 2_000, 4_000, 8_000, 16_000, RETRY_MS_MAX, RETRY_MS_MAX]) {
    await turn();
    const before = asked.length;
    clock.advance(waitMs - 1);
    await turn();
    expect(asked).toHaveLength(before);
    clock.advance(1);
    await turn();
    expect(asked).toHaveLength(before + 1);
    expect(apps.find("a")).toBeUndefined();
  }
  apps.close();
});

test("an agent without indexes is asked once a second", async () => {
  const { apps, asked, clock } = setUp(() => Promise.resolve({ addresses: ["x:1"], index: undefined }));
  apps.find("a");
  await turn();
  expect(asked).toEqual(["a"]);
  expect(apps.find("a")).toEqual(["x:1"]);
  clock.advance(1_000);
  await turn();
  expect(asked).toEqual(["a", "a"]);
  apps.close();
});
