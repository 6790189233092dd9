import { describe, expect, it } from "vitest";
import { testJobs } from "../jobs-block.fixture.ts";
import { testDoor } from "./door.fixture.ts";
import { jobsRoutes } from "./jobs.ts";

function setUp() {
  const { block, jobs } = testJobs();
  const door = testDoor({ routes: jobsRoutes(block, { maxBodyBytes: 1_000 }) });
  return { door, jobs };
}

describe.each(["/v1.0/jobs", "/v1.0-alpha1/jobs"])("%s", (path) => {
  it("schedules, reads and deletes a job with all its fields", async () => {
    const { door, jobs } = setUp();
    const body = {
      schedule: "@every 1m",
      repeats: 123,
      dueTime: "1000s",
      ttl: "123s",
      data: { hello: "world" },
      failure_policy: { constant: { interval: "3s", max_retries: 5 } },
    };
    expect(await door.call("POST", `${path}/a%20b`, [], JSON.stringify(body))).toMatchObject({ status: 204, text: "" });
    const read = await door.call("GET", `${path}/a%20b`);
    expect(read.status).toBe(200);
    expect(JSON.parse(read.text)).toEqual({
      name: "a b",
      schedule: "@every 1m",
      repeats: 123,
      dueTime: "1000s",
      ttl: "123s",
      data: { "@type": "type.googleapis.com/google.protobuf.Value", value: { hello: "world" } },
      failurePolicy: { constant: { interval: "3s", maxRetries: 5 } },
    });
    expect(await door.call("DELETE", `${path}/a%20b`)).toMatchObject({ status: 204, text: "" });
    expect(jobs.size).toBe(0);
  });
});

it("overwrites a job only when asked to", async () => {
  const { door } = setUp();
  const post = (body: string) => door.call("POST", "/v1.0/jobs/j", [], body);
  expect((await post('{"schedule":"@daily"}')).status).toBe(204);
  expect(await post('{"schedule":"@daily"}')).toMatchObject({
    status: 409,
    text: expect.stringContaining('"errorCode":"DAPR_SCHEDULER_SCHEDULE_JOB"') as string,
  });
  expect((await post('{"schedule":"@hourly","overwrite":true}')).status).toBe(204);
});

it.each([
  ["/v1.0/jobs/j", "{}", 400, "DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty"],
  ["/v1.0/jobs/j", "", 400, "DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty"],
  ["/v1.0/jobs/%20", '{"schedule":"@daily"}', 400, "DAPR_SCHEDULER_JOB_NAME_EMPTY", "Name is empty"],
  ["/v1.0/jobs/j", '{"name":"k","schedule":"x"}', 400, "DAPR_SCHEDULER_JOB_NAME", "Set the job name in the url only"],
])("refuses %s with %s", async (path, body, status, errorCode, message) => {
  const { door } = setUp();
  const answer = await door.call("POST", path, [], body);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({
    errorCode,
    message,
    details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: errorCode, domain: "dapr.io" }],
  });
});

it("refuses a body that is no job", async () => {
  const { door } = setUp();
  expect(await door.call("POST", "/v1.0/jobs/j", [], '{"repeats":"many"}')).toMatchObject({
    status: 400,
    text: expect.stringContaining("ERR_MALFORMED_REQUEST") as string,
  });
});

it("tells a job that is not there as an internal error, as Dapr does", async () => {
  expect(await setUp().door.call("GET", "/v1.0/jobs/none")).toMatchObject({
    status: 500,
    text: expect.stringContaining("failed to get job due to: rpc error: code = NotFound") as string,
  });
});

it("cannot show data of a type that it does not know", async () => {
  const { door, jobs } = setUp();
  jobs.set("j", { name: "j", data: { typeUrl: "type.googleapis.com/my.Type", value: new Uint8Array(1) } });
  expect(await door.call("GET", "/v1.0/jobs/j")).toMatchObject({
    status: 500,
    text: expect.stringContaining("failed to encode response as JSON") as string,
  });
});
