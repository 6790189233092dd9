import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  GetBulkSecretRequestSchema,
  GetSecretRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/secret_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { component, configuration, type Folder, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

describe("secrets over both doors", () => {
  let folder: Folder;
  let sidecar: TestSidecar;
  beforeAll(async () => {
    folder = await temporaryFolder();
    const secretsFile = await folder.write(
      "secrets.json",
      JSON.stringify({ open: "1", "with/slash": "2", denied: "3" }),
    );
    sidecar = await startTestSidecar({
      resources: [
        component("file", "secretstores.local.file", { secretsFile }),
        component("env", "secretstores.local.env"),
      ].join("---\n"),
      configuration: configuration(
        '  secrets:\n    scopes:\n      - { storeName: file, deniedSecrets: ["denied"] }\n      - { storeName: absent, defaultAccess: deny }\n',
      ),
      deps: { environment: { VARIABLE: "value", DAPR_API_TOKEN: "hidden" } },
    });
  });
  afterAll(async () => {
    await sidecar.stop();
    await folder[Symbol.asyncDispose]();
  });

  const get = async (path: string): Promise<[number, unknown]> => {
    const response = await sidecar.fetch(`/v1.0/secrets/${path}`);
    return [response.status, await response.json()];
  };

  it("gives one and all over HTTP", async () => {
    expect(await get("file/open")).toEqual([200, { open: "1" }]);
    expect(await get("file/with%2Fslash")).toEqual([200, { "with/slash": "2" }]);
    expect(await get("file/bulk")).toEqual([200, { open: { open: "1" }, "with/slash": { "with/slash": "2" } }]);
    expect(await get("env/bulk")).toEqual([200, { VARIABLE: { VARIABLE: "value" } }]);
    expect(await get("env/DAPR_API_TOKEN")).toEqual([200, { DAPR_API_TOKEN: "" }]);
  });

  it.each([
    ["file/denied", 403, "ERR_PERMISSION_DENIED", 'access denied by policy to get "denied" from "file"'],
    [
      "file/none",
      500,
      "ERR_SECRET_GET",
      "failed getting secret with key none from secret store file: secret none not found",
    ],
    ["other/open", 401, "ERR_SECRET_STORE_NOT_FOUND", "failed finding secret store with key other"],
    ["other/bulk", 401, "ERR_SECRET_STORE_NOT_FOUND", "failed finding secret store with key other"],
  ])("refuses %s", async (path, status, errorCode, message) => {
    expect(await get(path)).toEqual([status, { errorCode, message }]);
  });

  it("gives and refuses the same over gRPC", async () => {
    const { data } = await sidecar.grpc.call(
      daprMethods.getSecret,
      create(GetSecretRequestSchema, { storeName: "file", key: "open" }),
    );
    expect(data).toEqual({ open: "1" });
    const bulk = await sidecar.grpc.call(
      daprMethods.getBulkSecret,
      create(GetBulkSecretRequestSchema, { storeName: "file" }),
    );
    expect(Object.entries(bulk.data).map(([key, { secrets }]) => [key, secrets])).toEqual([
      ["open", { open: "1" }],
      ["with/slash", { "with/slash": "2" }],
    ]);
    const failure = await sidecar.grpc.failure(
      daprMethods.getSecret,
      create(GetSecretRequestSchema, { storeName: "file", key: "denied" }),
    );
    expect(failure).toMatchObject({ code: 7, message: 'access denied by policy to get "denied" from "file"' });
  });

  it("warns of rules for stores that are not there", () => {
    expect(sidecar.logger.lines.map(({ message }) => message)).toContain(
      "Secrets configuration added for 'absent', but no matching secret store was found",
    );
  });
});
