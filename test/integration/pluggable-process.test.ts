import { expect, it } from "vitest";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { inMemoryStore, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { stateServices } from "../harness/pluggable/state-services.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";

it("the program looks where its environment says, and tells what it found", async () => {
  await using sockets = await socketsFolder();
  const server = await sockets.serve("shelf.sock", stateServices(await inMemoryStore(), { features: ["ETAG"] }));
  await using folder = await temporaryFolder();
  await folder.write("store.yaml", component("store", "state.shelf"));
  const http = await freePort();
  const ports = ["--dapr-http-port", String(http)];
  for (const flag of ["--dapr-grpc-port", "--dapr-internal-grpc-port", "--metrics-port"]) {
    ports.push(flag, String(await freePort()));
  }
  await using program = startOutrigger(["sidecar", "--app-id", "shop", "--resources-path", folder.path, ...ports], {
    cwd: folder.path,
    env: { DAPR_COMPONENTS_SOCKETS_FOLDER: sockets.path },
  });
  const said = await program.says("dapr initialized");
  expect(said).toContain(
    "pluggable component 'shelf' was successfully registered for 'dapr.proto.components.v1.StateStore'",
  );
  const url = `http://127.0.0.1:${http}/v1.0/state/store`;
  const headers = { "content-type": "application/json" };
  expect((await fetch(url, { method: "POST", headers, body: '[{"key":"a","value":1}]' })).status).toBe(204);
  expect(await (await fetch(`${url}/a`)).text()).toBe("1");
  expect([...server.instances].toSorted()).toEqual(["", "store"]);
  expect((await program.signal("SIGTERM")).code).toBe(0);
});
