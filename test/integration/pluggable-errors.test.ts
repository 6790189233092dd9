import { create, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import {
  DeleteBulkStateRequestSchema,
  DeleteStateRequestSchema,
  GetBulkStateRequestSchema,
  GetStateRequestSchema,
  QueryStateRequestSchema,
  SaveStateRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { ErrorInfoSchema } from "../../src/wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/wire/gen/google/rpc/status_pb.js";
import { daprMethods, type GrpcFailure } from "../harness/grpc-caller.ts";
import { kitError } from "../harness/pluggable/rich-status.ts";
import { inMemoryStore, socketsFolder } from "../harness/pluggable/sidecar.ts";
import { stateServices } from "../harness/pluggable/state-services.ts";
import { component } from "../harness/resources.ts";

const FAILURES = {
  get: kitError(GRPC_STATUS.DATA_LOSS, 506, "get"),
  bulkGet: kitError(GRPC_STATUS.ABORTED, 507, "bulkget"),
  bulkDelete: kitError(GRPC_STATUS.ALREADY_EXISTS, 508, "bulkdelete"),
  query: kitError(GRPC_STATUS.ALREADY_EXISTS, 509, "query"),
  bulkSet: kitError(GRPC_STATUS.CANCELLED, 510, "bulkset"),
  delete: kitError(GRPC_STATUS.OUT_OF_RANGE, 511, "delete"),
  set: kitError(GRPC_STATUS.RESOURCE_EXHAUSTED, 512, "set"),
};
const QUERY = '{"filter":{"EQ":{"state":"CA"}}}';

async function failingStore() {
  const folder = await socketsFolder();
  await folder.serve("sour.sock", stateServices(await inMemoryStore(), { features: [], failures: FAILURES }));
  const one = await folder.sidecar({ resources: component("store", "state.sour") });
  return { one, [Symbol.asyncDispose]: async () => await folder[Symbol.asyncDispose]() };
}

it("over HTTP a store's own error has its status, within Dapr's words; that of a query stands alone", async () => {
  await using setting = await failingStore();
  const { one } = setting;
  const answer = async (path: string, method = "GET", body?: string) => {
    const response = await one.fetch(`/v1.0${path}`, {
      method,
      ...(body === undefined ? {} : { body, headers: { "content-type": "application/json" } }),
    });
    return [response.status, await response.json()];
  };
  const failure = (errorCode: string, message: string) => ({ errorCode, message });
  const save = (reason: string) =>
    failure("ERR_STATE_SAVE", `failed saving state in state store store: api error: ${reason}`);
  expect(await answer("/state/store/k")).toEqual([
    506,
    failure("ERR_STATE_GET", "fail to get k from state store store: api error: code = DataLoss desc = get-error"),
  ]);
  expect(await answer("/state/store/bulk", "POST", '{"keys":["k"]}')).toEqual([
    507,
    failure("ERR_STATE_BULK_GET", "api error: code = Aborted desc = bulkget-error"),
  ]);
  expect(await answer("-alpha1/state/store/query", "POST", QUERY)).toEqual([
    509,
    {
      errorCode: "query-tag",
      message: "query-error",
      details: [
        {
          "@type": "type.googleapis.com/google.rpc.ErrorInfo",
          domain: "query-domain",
          metadata: null,
          reason: "query-reason",
        },
      ],
    },
  ]);
  expect(await answer("/state/store", "POST", '[{"key":"a","value":1},{"key":"b","value":1}]')).toEqual([
    510,
    save("code = Canceled desc = bulkset-error"),
  ]);
  expect(await answer("/state/store", "POST", '[{"key":"a","value":1}]')).toEqual([
    512,
    save("code = ResourceExhausted desc = set-error"),
  ]);
  expect(await answer("/state/store/k", "DELETE")).toEqual([
    511,
    failure("ERR_STATE_DELETE", "failed deleting state with key k: api error: code = OutOfRange desc = delete-error"),
  ]);
});

it("over gRPC a store's own error is the status, with its details", async () => {
  await using setting = await failingStore();
  const { grpc } = setting.one;
  const storeName = "store";
  const two = [{ key: "a" }, { key: "b" }];
  const of = ({ code, message, metadata }: GrpcFailure) => {
    const [details] = metadata.get("grpc-status-details-bin");
    const status = fromBinary(StatusSchema, details as Buffer);
    const infos = status.details.map((detail) => anyUnpack(detail, ErrorInfoSchema));
    return [code, message, infos.map((info) => `${info?.domain} ${info?.reason}`)];
  };
  const told = (code: number, name: string) => [code, `${name}-error`, [`${name}-domain ${name}-reason`]];
  expect(of(await grpc.failure(daprMethods.getState, create(GetStateRequestSchema, { storeName, key: "k" })))).toEqual(
    told(GRPC_STATUS.DATA_LOSS, "get"),
  );
  expect(
    of(await grpc.failure(daprMethods.getBulkState, create(GetBulkStateRequestSchema, { storeName, keys: ["k"] }))),
  ).toEqual(told(GRPC_STATUS.ABORTED, "bulkget"));
  expect(
    of(
      await grpc.failure(daprMethods.deleteBulkState, create(DeleteBulkStateRequestSchema, { storeName, states: two })),
    ),
  ).toEqual(told(GRPC_STATUS.ALREADY_EXISTS, "bulkdelete"));
  expect(
    of(await grpc.failure(daprMethods.saveState, create(SaveStateRequestSchema, { storeName, states: two }))),
  ).toEqual(told(GRPC_STATUS.CANCELLED, "bulkset"));
  expect(
    of(
      await grpc.failure(daprMethods.saveState, create(SaveStateRequestSchema, { storeName, states: [{ key: "a" }] })),
    ),
  ).toEqual(told(GRPC_STATUS.RESOURCE_EXHAUSTED, "set"));
  expect(
    of(await grpc.failure(daprMethods.deleteState, create(DeleteStateRequestSchema, { storeName, key: "k" }))),
  ).toEqual(told(GRPC_STATUS.OUT_OF_RANGE, "delete"));
  expect(
    of(await grpc.failure(daprMethods.queryStateAlpha1, create(QueryStateRequestSchema, { storeName, query: QUERY }))),
  ).toEqual(told(GRPC_STATUS.ALREADY_EXISTS, "query"));
});
