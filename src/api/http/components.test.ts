import { expect, it } from "vitest";
import { componentsRoutes } from "./components.ts";
import { testDoor } from "./door.fixture.ts";

const one = { name: "store", type: "state.redis", version: "v1" };

it("lists the components with their conditions", async () => {
  const door = testDoor({
    routes: componentsRoutes({
      conditions: () => [
        { ...one, condition: "ready", reason: "", sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5), actorState: "fenced" },
        { ...one, name: "other", condition: "degraded", reason: "connection lost", sinceMs: 1 },
        {
          ...one,
          name: "down",
          condition: "failed",
          reason: "refused",
          sinceMs: 1,
          retry: { attempts: 3, nextAttemptMs: 4_001 },
        },
      ],
    }),
  });
  const answer = await door.call("GET", "/outrigger/v1/components");
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toEqual({
    components: [
      { ...one, condition: "ready", since: "2026-01-02T03:04:05.000Z", actorState: "fenced" },
      { ...one, name: "other", condition: "degraded", reason: "connection lost", since: "1970-01-01T00:00:00.001Z" },
      {
        ...one,
        name: "down",
        condition: "failed",
        reason: "refused",
        since: "1970-01-01T00:00:00.001Z",
        attempts: 3,
        nextAttempt: "1970-01-01T00:00:04.001Z",
      },
    ],
  });
});

it("answers without components", async () => {
  const door = testDoor({ routes: componentsRoutes({ conditions: () => [] }) });
  expect((await door.call("GET", "/outrigger/v1/components")).text).toBe('{"components":[]}');
});

it("asks for the token and heeds access rules", async () => {
  const routes = componentsRoutes({ conditions: () => [] });
  const guarded = testDoor({ routes, apiToken: "secret" });
  expect((await guarded.call("GET", "/outrigger/v1/components")).status).toBe(401);
  expect((await guarded.call("GET", "/outrigger/v1/components", ["dapr-api-token", "secret"])).status).toBe(200);
  const rule = { name: "components", version: "v1", protocol: "http" } as const;
  const denied = testDoor({ routes, accessRules: { allowed: [], denied: [rule] } });
  expect((await denied.call("GET", "/outrigger/v1/components")).status).not.toBe(200);
  expect(routes.some((route) => route.onPublicPort === true)).toBe(false);
});

it("has the resources read again, and says what became of them", async () => {
  const state = {
    rounds: 2,
    changes: 1,
    lastChangeMs: 1,
    changed: [{ kind: "Component", name: "store", change: "changed" }],
    problems: ["a.yaml:1:1: no YAML"],
  } as const;
  const following = testDoor({ routes: componentsRoutes({ conditions: () => [], reloadNow: async () => state }) });
  const answer = await following.call("POST", "/outrigger/v1/reload");
  expect(answer.status).toBe(200);
  const { rounds, changes, changed, problems } = state;
  expect(JSON.parse(answer.text)).toEqual({
    reload: { rounds, changes, changed, problems, lastChange: "1970-01-01T00:00:00.001Z" },
  });
  const deaf = testDoor({ routes: componentsRoutes({ conditions: () => [] }) });
  expect((await deaf.call("POST", "/outrigger/v1/reload")).text).toBe("{}");
});
