import { expect, it } from "vitest";
import { testDoor } from "./door.fixture.ts";
import { unimplementedRoutes } from "./unimplemented.ts";

const door = testDoor({ routes: unimplementedRoutes() });

it.each([["POST", "/v1.0-beta1/workflows/dapr/w/start"]])("%s %s is said not to be there yet", async (method, path) => {
  expect(await door.call(method, path)).toMatchObject({
    status: 501,
    text: '{"errorCode":"ERR_API_UNIMPLEMENTED","message":"this API is currently not implemented"}',
  });
});

it("paths beside them go on to the fallback", async () => {
  expect((await door.call("GET", "/v1.0/actors-2/b")).status).toBe(299);
});
