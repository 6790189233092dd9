import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { call, GuestBuilder, i32, NEXT } from "../../src/components/http-wasm/guest.fixture.ts";
import { type Handler, handlerResources, pipelineConfiguration } from "../harness/pipeline.ts";
import { installed, startSidecar } from "./program.ts";

const { folder, program, ...home } = installed();
afterAll(() => home[Symbol.dispose]());

it("the executable brings all that middlewares need: compiled policies, threads for guests, patterns", async () => {
  const policy = resolve(import.meta.dirname, "../../src/components/opa/testdata/policy.tar.gz");
  copyFileSync(policy, join(folder, "policy.tar.gz"));
  const builder = new GuestBuilder();
  const header = [...builder.text("x-guest").code, ...builder.text("was here").code];
  writeFileSync(join(folder, "guest.wasm"), builder.build([...call("set_header_value", i32(1), header), ...NEXT]));
  const handlers: Handler[] = [
    { name: "limit", type: "ratelimit" },
    { name: "policy", type: "opa", metadata: { policyPath: "policy.tar.gz" } },
    { name: "guest", type: "wasm", metadata: { url: "file://guest.wasm" } },
    { name: "flow", type: "sentinel", metadata: { flowRules: "[]" } },
    { name: "alias", type: "routeralias", metadata: { routes: '/open/{what}: "/v1.0/metadata"' } },
    { name: "check", type: "routerchecker", metadata: { rule: "^/v1[.]0/" } },
  ];
  const resources = join(folder, "resources");
  mkdirSync(resources);
  writeFileSync(join(resources, "middlewares.yaml"), handlerResources(handlers));
  const config = join(folder, "config.txt");
  writeFileSync(config, pipelineConfiguration({ httpPipeline: handlers }));
  await using sidecar = await startSidecar(
    program,
    ["sidecar", "--app-id=alone", `--resources-path=${resources}`, `--config=${config}`],
    { cwd: folder },
  );
  const open = await sidecar.fetch("/open/door");
  expect([open.status, open.headers.get("x-guest"), open.headers.get("ratelimit-limit")]).toEqual([
    200,
    "was here",
    "100",
  ]);
  expect(await open.json()).toMatchObject({ id: "alone" });
  expect((await sidecar.fetch("/shut")).status).toBe(403);
  expect(await sidecar.stop("SIGTERM")).toBe(0);
  expect(sidecar.stderr()).toBe("");
});
