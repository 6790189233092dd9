import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  DeleteByMetadataRequestSchema,
  DeleteByNamePrefixRequestSchema,
  DeleteJobRequestSchema,
  GetJobRequestSchema,
  ListJobsRequestSchema,
} from "../../src/wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { GrpcCaller } from "../harness/grpc-caller.ts";
import { type Folder, temporaryFolder } from "../harness/resources.ts";
import { startPlacementProgram } from "../harness/placement-program.ts";
import {
  appMetadata,
  JobWatcher,
  schedulerMethods,
  schedulerPorts,
  SchedulerProgram,
  scheduleRequest,
} from "../harness/scheduler-program.ts";
import { SentryDouble } from "../harness/sentry-double.ts";
import { clientCredentials } from "../harness/test-authority.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";
import { component } from "../harness/resources.ts";

/** Several processes that start at once on a busy machine take their time. */
const PATIENCE_MS = 30_000;

const PERMISSION_DENIED = 7;
const MISMATCH = "identity does not match request";

async function tlsFlags(sentry: SentryDouble, folder: Folder): Promise<readonly string[]> {
  const anchors = await folder.write("ca.crt", sentry.authority.trustAnchors);
  return ["--tls-enabled", `--sentry-address=${sentry.address}`, `--trust-anchors-file=${anchors}`];
}

it("placement takes reports of a sidecar about itself only", async () => {
  await using sentry = await SentryDouble.start();
  await using folder = await temporaryFolder();
  await using placement = await startPlacementProgram(await tlsFlags(sentry, folder));
  const app1 = await clientCredentials(sentry.authority, "spiffe://public/ns/default/app-1");

  await placement.host("app-1", ["cat"], { credentials: app1 }).hears("update 1: cat@app-1");
  expect(await placement.host("app-2", ["cat"], { credentials: app1 }).ended).toEqual({
    code: PERMISSION_DENIED,
    message: "provided app ID app-2 doesn't match the one in the SPIFFE ID (app-1)",
  });
  expect(await placement.host("app-1", ["cat"], { credentials: app1, namespace: "foo" }).ended).toEqual({
    code: PERMISSION_DENIED,
    message: "provided client namespace foo doesn't match the one in the SPIFFE ID (default)",
  });
  expect(await placement.host("app-1", ["dapr.internal.default.app-2"], { credentials: app1 }).ended).toEqual({
    code: PERMISSION_DENIED,
    message: "entity dapr.internal.default.app-2 is not allowed for app ID app-1 in namespace default",
  });
  expect((await placement.host("app-1", ["cat"]).ended).code).toBe(14);
  expect(sentry.requests.length).toBeGreaterThan(0);
  // A sentry that is slow to answer is asked again.
  for (const { id, namespace, trustDomain } of sentry.requests) {
    expect([id, namespace, trustDomain]).toEqual(["dapr-placement", "default", "localhost"]);
  }
});

it("members of a placement vote for a leader among themselves only", async () => {
  await using sentry = await SentryDouble.start();
  await using folder = await temporaryFolder();
  const ports = [await freePort(), await freePort(), await freePort()];
  const cluster = `--initial-cluster=${ports.map((port, index) => `p${index}=127.0.0.1:${port}`).join(",")}`;
  const flags = [...(await tlsFlags(sentry, folder)), cluster];
  await using first = await startPlacementProgram([...flags, "--id=p0"]);
  await using second = await startPlacementProgram([...flags, "--id=p1"]);
  const members = [first, second];
  await until(
    "two of three have a leader",
    async () => {
      const leads = await Promise.all(members.map((member) => member.metric("dapr_placement_leader_status")));
      return leads.filter((lead) => lead === 1).length === 1;
    },
    PATIENCE_MS,
  );

  const stranger = await clientCredentials(sentry.authority, "spiffe://localhost/ns/default/dapr-scheduler");
  const caller = new GrpcCaller(`127.0.0.1:${ports[0]}`, stranger);
  const failure = await caller.rawFailure("/outrigger.placement.v1.Election/Vote", new Uint8Array());
  caller.close();
  expect(failure?.code).toBe(14);
  await first.program.says('unexpected SPIFFE ID: \\"spiffe://localhost/ns/default/dapr-scheduler\\"');
});

it("the scheduler takes jobs of a sidecar for its own app only", async () => {
  await using sentry = await SentryDouble.start();
  await using folder = await temporaryFolder();
  const ports = await schedulerPorts();
  await using scheduler = new SchedulerProgram(folder.path, ports, await tlsFlags(sentry, folder));
  await scheduler.ready();
  const address = `127.0.0.1:${ports.api}`;
  const own = await clientCredentials(sentry.authority, "spiffe://public/ns/default/app");
  const foreign = await clientCredentials(sentry.authority, "spiffe://public/ns/default/other");
  const [app, other] = [new GrpcCaller(address, own), new GrpcCaller(address, foreign)];
  const metadata = appMetadata();

  await app.call(schedulerMethods.scheduleJob, scheduleRequest("tick", { schedule: "@every 1s" }));
  const refused = [
    await other.failure(schedulerMethods.scheduleJob, scheduleRequest("tick", { schedule: "@daily" })),
    await other.failure(schedulerMethods.getJob, create(GetJobRequestSchema, { name: "tick", metadata })),
    await other.failure(schedulerMethods.listJobs, create(ListJobsRequestSchema, { metadata })),
    await other.failure(schedulerMethods.deleteJob, create(DeleteJobRequestSchema, { name: "tick", metadata })),
  ];
  const bulk = [
    await other.failure(schedulerMethods.deleteByMetadata, create(DeleteByMetadataRequestSchema, { metadata })),
    await other.failure(schedulerMethods.deleteByNamePrefix, create(DeleteByNamePrefixRequestSchema, { metadata })),
  ];
  for (const { code, message } of refused) {
    expect([code, message]).toEqual([PERMISSION_DENIED, MISMATCH]);
  }
  for (const { code, message } of bulk) {
    const wrapped = `failed to parse metadata: rpc error: code = PermissionDenied desc = ${MISMATCH}`;
    expect([code, message]).toEqual([PERMISSION_DENIED, wrapped]);
  }
  const spy = new JobWatcher(address, {}, foreign);
  expect(await spy.ended).toEqual({ code: PERMISSION_DENIED, message: MISMATCH });
  const watcher = new JobWatcher(address, {}, own);
  await until("the app is triggered", () => watcher.names.includes("tick"), PATIENCE_MS);
  expect(spy.names).toEqual([]);
  for (const one of [spy, watcher]) {
    one.leave();
  }
  for (const one of [app, other]) {
    one.close();
  }
  await until(
    "all refusals are counted",
    async () => (await scheduler.metric('dapr_scheduler_sidecar_errors_total{reason="auth_failed"}')) === 7,
  );
});

it("a sidecar has actors and jobs over mutual TLS, through renewals", async () => {
  await using sentry = await SentryDouble.start();
  sentry.behaviour.ttlMs = 4_000;
  await using folder = await temporaryFolder();
  const tls = await tlsFlags(sentry, folder);
  await using placement = await startPlacementProgram(tls);
  const ports = await schedulerPorts();
  await using scheduler = new SchedulerProgram(folder.path, ports, [
    ...tls,
    `--override-broadcast-host-port=127.0.0.1:${ports.api}`,
  ]);
  await scheduler.ready();
  await using app = await startTestApp({
    config: JSON.stringify({ entities: ["t"] }),
    answer: ({ method }) => (method === "PUT" ? { body: "here" } : undefined),
  });
  await using sidecar = await startTestSidecar({
    appId: "app",
    appPort: app.port,
    mtls: sentry.mtls(),
    hostAddress: "127.0.0.1",
    resources: component("store", "state.in-memory", { actorStateStore: "true" }),
    placement: { addresses: [placement.address], disseminationTimeoutMs: 30_000 },
    scheduler: { addresses: [`127.0.0.1:${ports.api}`], jobStreams: 1 },
  });
  const call = async () => await (await sidecar.fetch("/v1.0/actors/t/1/method/m", { method: "POST" })).text();
  await until("the actor answers", async () => (await call()) === "here", PATIENCE_MS);
  const body = JSON.stringify({ schedule: "@every 1s" });
  expect((await sidecar.fetch("/v1.0-alpha1/jobs/tick", { method: "POST", body })).status).toBe(204);

  const asked = (id: string) => sentry.requests.filter((request) => request.id === id).length;
  await until(
    "everybody has had several certificates",
    async () => {
      expect(await call()).toBe("here");
      return ["app", "dapr-placement", "dapr-scheduler"].every((id) => asked(id) >= 4);
    },
    30_000,
  );
  const ticks = app.at("/job/tick").length;
  await until("the job goes on", () => app.at("/job/tick").length > ticks + 1, PATIENCE_MS);
});

it("a role that waits for its certificate stops when it is told to", async () => {
  await using folder = await temporaryFolder();
  const ports = await schedulerPorts();
  const missing = `${folder.path}/ca.crt`;
  await using scheduler = new SchedulerProgram(folder.path, ports, [
    "--tls-enabled",
    "--sentry-address=127.0.0.1:1",
    `--trust-anchors-file=${missing}`,
  ]);
  await scheduler.program.says(`Trust anchors file '${missing}' not found, waiting...`);
  expect(await scheduler.program.signal("SIGTERM")).toMatchObject({ code: 0, signal: null });
});
