import { expect, test } from "vitest";
import { grpcBulkStatus, interpretBulkStatuses, interpretHttpBulkResponse } from "./topic-bulk-response.ts";
import type { TopicBulk } from "./types.ts";

const bulk = { topic: "orders", entries: [{ entryId: "a" }, { entryId: "b" }] } as unknown as TopicBulk;
const unknown: string[] = [];
const http = (status: number, body = "") =>
  interpretHttpBulkResponse(status, Buffer.from(body), bulk, (entryId) => void unknown.push(entryId));
const retry = (reason: string) => ({ kind: "retry", reason });
const missing = (entryId: string) =>
  retry(`response not received, RETRY required while processing bulk subscribe event for entry id: ${entryId}`);

test("an HTTP app says for each entry what becomes of it, in any order", () => {
  const body = `{"statuses":[{"entryId":"b","status":"DROP"},{"entryId":"a","status":"SUCCESS"}]}`;
  expect(http(200, body)).toEqual([
    { kind: "success" },
    { kind: "drop", severity: "warn", reason: "DROP status returned from app while processing pub/sub event b" },
  ]);
});

test.each(["", "RETRY"])("the status %j asks for the entry again, as does none", (status) => {
  expect(http(201, JSON.stringify({ statuses: [{ entryId: "a", status }] }))).toEqual([
    retry("RETRY required while processing bulk subscribe event for entry id: a"),
    missing("b"),
  ]);
});

test("an unknown status asks for the entry again, an unknown entry is told", () => {
  const statuses = [
    { entryId: "a", status: "MAYBE" },
    { entryId: "c", status: "SUCCESS" },
  ];
  expect(http(200, JSON.stringify({ statuses }))).toEqual([
    retry("unknown status returned from app while processing bulk subscribe event a: MAYBE"),
    missing("b"),
  ]);
  expect(unknown).toEqual(["c"]);
});

test.each(["", "ok", "null", `{"statuses":5}`])("an answer that cannot be read (%j) asks for all again", (body) => {
  const outcomes = http(200, body);
  expect(outcomes).toHaveLength(2);
  for (const outcome of outcomes) {
    expect(outcome.kind === "retry" && outcome.reason).toMatch(
      /^failed unmarshalling app response for bulk subscribe: ./,
    );
  }
});

test("404 acknowledges all with a warning, other failures ask for all again", () => {
  const warning =
    "Non-retriable error returned from app while processing bulk pub/sub event. status code returned: 404";
  expect(http(404)).toEqual([
    { kind: "success", warning },
    { kind: "success", warning },
  ]);
  const reason =
    "Retriable error returned from app while processing bulk pub/sub event, topic: orders. status code returned: 500";
  expect(http(500)).toEqual([retry(reason), retry(reason)]);
});

test("a gRPC app's numbers are the same", () => {
  const statuses = [grpcBulkStatus("a", 0), grpcBulkStatus("b", 2)];
  expect(interpretBulkStatuses(statuses, bulk, () => undefined)).toMatchObject([{ kind: "success" }, { kind: "drop" }]);
  expect(grpcBulkStatus("a", 1).status).toBe("RETRY");
  expect(grpcBulkStatus("a", 7).status).toBe("7");
});
