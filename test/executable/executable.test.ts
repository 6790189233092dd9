import { chmodSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { create } from "@bufbuild/protobuf";
import { GetStateRequestSchema, SaveStateRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { daprMethods, GrpcCaller } from "../harness/grpc-caller.ts";
import { installed, run, startSidecar } from "./program.ts";

const STORE = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.in-memory
  version: v1
`;

/** The user `nobody` of Debian, Alpine and Fedora alike. */
const NOBODY = 65_534;

const isRoot = process.getuid?.() === 0;
const home = installed();
afterAll(() => home[Symbol.dispose]());

const { folder, program } = home;
const daprd = join(folder, "daprd");
symlinkSync(program, daprd);
const resources = join(folder, "resources");
mkdirSync(resources);
writeFileSync(join(resources, "store.yaml"), STORE);
chmodSync(resources, 0o755);

describe("the version", () => {
  it("is Dapr's under the name daprd", () => {
    expect(run(daprd, ["--version"])).toEqual({ status: 0, stdout: "1.18.3\n", stderr: "" });
  });

  it("is both under our own name", () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as {
      version: string;
    };
    const stdout = `outrigger ${version}, compatible with Dapr 1.18.3\n`;
    expect(run(program, ["--version"])).toEqual({ status: 0, stdout, stderr: "" });
  });
});

describe("a flag that does not exist", () => {
  it.each([
    ["daprd", daprd, ["--no-such-flag"]],
    ["outrigger sidecar", program, ["sidecar", "--no-such-flag"]],
  ])("ends %s with 2 and its name", (_, path, args) => {
    const { status, stderr } = run(path, args);
    expect({ status, named: stderr.includes("unknown flag: --no-such-flag") }).toEqual({ status: 2, named: true });
  });
});

it("ends with 1 and a reason without an app id", () => {
  const { status, stdout } = run(daprd, []);
  expect({ status, said: stdout.includes("parameter app-id cannot be empty") }).toEqual({ status: 1, said: true });
});

describe("started with an empty environment", () => {
  it("serves, and stops with 0 at SIGINT", async () => {
    await using sidecar = await startSidecar(program, ["sidecar", "--app-id=alone", `--resources-path=${resources}`]);
    const saved = await sidecar.fetch("/v1.0/state/store", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([{ key: "greeting", value: { text: "héllo" } }]),
    });
    const got = await sidecar.fetch("/v1.0/state/store/greeting");
    expect([saved.status, got.status, await got.json()]).toEqual([204, 200, { text: "héllo" }]);
    expect(await sidecar.stop("SIGINT")).toBe(0);
    // Node's warnings go there: nothing experimental, nothing deprecated, and no bytecode refused.
    expect(sidecar.stderr()).toBe("");
  });

  it("stops with 0 at SIGTERM", async () => {
    await using sidecar = await startSidecar(program, ["sidecar", "--app-id=alone"]);
    expect(await sidecar.stop("SIGTERM")).toBe(0);
  });

  it("is a sidecar through a link called daprd", async () => {
    await using sidecar = await startSidecar(daprd, ["--app-id=linked"]);
    const metadata = (await (await sidecar.fetch("/v1.0/metadata")).json()) as { id: string; runtimeVersion: string };
    expect([metadata.id, metadata.runtimeVersion]).toEqual(["linked", "1.18.3"]);
  });

  it("is a sidecar when its caller only names it daprd", async () => {
    await using sidecar = await startSidecar(program, ["--app-id=named"], { argv0: "daprd" });
    expect((await sidecar.fetch("/v1.0/healthz")).status).toBe(204);
  });

  it.skipIf(!isRoot)("runs as nobody (needs root to become nobody)", async () => {
    await using sidecar = await startSidecar(daprd, ["--app-id=nobody"], { uid: NOBODY, cwd: "/" });
    const owner = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${sidecar.pid}/status`, "utf8"))?.[1];
    expect(owner).toBe(String(NOBODY));
    expect(await sidecar.stop("SIGINT")).toBe(0);
  });

  it("starts in a folder that has been removed", async () => {
    const gone = join(folder, "gone");
    mkdirSync(gone);
    // A shell stands in the folder, removes it and becomes the program.
    await using sidecar = await startSidecar(
      "/bin/sh",
      ["-c", `rmdir "$PWD" && exec "$@"`, "sh", daprd, "--app-id=gone"],
      { cwd: gone },
    );
    expect(readlinkSync(`/proc/${sidecar.pid}/cwd`)).toBe(`${gone} (deleted)`);
    expect(await sidecar.stop("SIGINT")).toBe(0);
  });
});

it("gives memory back after a burst", async () => {
  await using sidecar = await startSidecar(program, ["sidecar", "--app-id=burst", `--resources-path=${resources}`]);
  const ownMib = (): number => {
    const rollup = readFileSync(`/proc/${sidecar.pid}/smaps_rollup`, "utf8");
    return Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024;
  };
  const headers = { "content-type": "application/json" };
  const keys = Array.from({ length: 40 }, (_, i) => `big-${i}`);
  const value = "x".repeat(1024 * 1024);
  for (const key of keys) {
    await sidecar.fetch("/v1.0/state/store", { method: "POST", headers, body: JSON.stringify([{ key, value }]) });
  }
  for (const key of keys) await sidecar.fetch(`/v1.0/state/store/${key}`, { method: "DELETE" });
  const afterBurst = ownMib();
  await expect.poll(() => afterBurst - ownMib(), { timeout: 40_000, interval: 250 }).toBeGreaterThan(20);
  expect(sidecar.stderr()).toBe("");
});

describe("gRPC", () => {
  it.each(["own", "node"])("is served by --http2=%s", async (http2) => {
    await using sidecar = await startSidecar(daprd, [
      "--app-id=grpc",
      `--resources-path=${resources}`,
      `--http2=${http2}`,
    ]);
    const caller = new GrpcCaller(`127.0.0.1:${sidecar.grpcPort}`);
    try {
      const { saveState, getState } = daprMethods;
      const value = Buffer.from('"yes"');
      await caller.call(
        saveState,
        create(SaveStateRequestSchema, { storeName: "store", states: [{ key: http2, value }] }),
      );
      const { data } = await caller.call(getState, create(GetStateRequestSchema, { storeName: "store", key: http2 }));
      expect(Buffer.from(data).toString()).toBe('"yes"');
    } finally {
      caller.close();
    }
    expect(sidecar.stderr()).toBe("");
  });
});

it("takes no notice of NODE_OPTIONS, which are meant for the app", () => {
  const options = { NODE_OPTIONS: "--require=/there/is/no/such/module.cjs" };
  expect(run(daprd, ["--version"], options)).toEqual({ status: 0, stdout: "1.18.3\n", stderr: "" });
});
