import { create } from "@bufbuild/protobuf";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect, it } from "vitest";
import { GetMetadataRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/metadata_pb.js";
import { daprMethods, GrpcCaller } from "../harness/grpc-caller.ts";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

function getOverSocket(socketPath: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

it("both APIs on unix domain sockets, whose files are gone at the end", async () => {
  await using folder = await temporaryFolder();
  const one = await startTestSidecar({ unixDomainSocket: folder.path });
  expect((await readdir(folder.path)).toSorted()).toEqual(["dapr-test-app-grpc.socket", "dapr-test-app-http.socket"]);
  expect(await getOverSocket(join(folder.path, "dapr-test-app-http.socket"), "/v1.0/healthz")).toBe(204);
  const caller = new GrpcCaller(`unix:${join(folder.path, "dapr-test-app-grpc.socket")}`);
  expect((await caller.call(daprMethods.getMetadata, create(GetMetadataRequestSchema))).id).toBe("test-app");
  caller.close();
  await one.stop();
  expect(await readdir(folder.path)).toEqual([]);
});

it("sockets that a killed sidecar has left behind are no obstacle, one that somebody listens on is", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "dapr-test-app-http.socket");
  const killed = startOutrigger(
    ["sidecar", "--app-id=test-app", "--enable-metrics=false", `--unix-domain-socket=${folder.path}`],
    { cwd: folder.path },
  );
  await killed.says("HTTP server is running on a Unix Domain Socket");
  await expect(startTestSidecar({ unixDomainSocket: folder.path })).rejects.toThrow(path.replace("http", "grpc"));
  await killed.signal("SIGKILL");
  expect(await readdir(folder.path)).toContain("dapr-test-app-http.socket");
  await using _one = await startTestSidecar({ unixDomainSocket: folder.path });
  expect(await getOverSocket(path, "/v1.0/healthz")).toBe(204);
});

it("a file in the socket's place keeps the sidecar from starting, and is left alone", async () => {
  await using folder = await temporaryFolder();
  const taken = await folder.write("dapr-test-app-http.socket", "somebody's");
  await expect(startTestSidecar({ unixDomainSocket: folder.path })).rejects.toThrow(taken);
  expect(await readdir(folder.path)).toEqual(["dapr-test-app-http.socket"]);
});
