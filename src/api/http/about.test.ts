import { expect, it } from "vitest";
import { OUTRIGGER_VERSION } from "../../kit/release.ts";
import { aboutRoutes } from "./about.ts";
import { testDoor } from "./door.fixture.ts";

it("tells the release, to whoever may read metadata", async () => {
  const door = testDoor({ routes: aboutRoutes() });
  const answer = await door.call("GET", "/outrigger/v1/about");
  expect(JSON.parse(answer.text)).toEqual({ release: OUTRIGGER_VERSION });
  const rule = { name: "metadata", version: "v1", protocol: "http" } as const;
  const denied = testDoor({ routes: aboutRoutes(), accessRules: { allowed: [], denied: [rule] } });
  expect((await denied.call("GET", "/outrigger/v1/about")).status).not.toBe(200);
});
