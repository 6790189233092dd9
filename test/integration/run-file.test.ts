import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { devFolder, startOutrigger } from "../harness/outrigger-program.ts";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";

async function logs(folder: string, appId: string, kind: "app" | "daprd"): Promise<string> {
  const path = join(folder, appId, ".dapr/logs");
  const name = (await readdir(path)).find((each) => each.includes(`_${kind}_`));
  return await readFile(join(path, name ?? ""), "utf8");
}

it("runs the apps of a dapr.yaml, each with a sidecar, resources and logs of its own", async () => {
  await using folder = await devFolder([
    { id: "orders", lines: "    appLogDestination: file\n" },
    { id: "stock", lines: "    daprdLogDestination: console\n" },
  ]);
  // Relative paths in the resources of an app start at its folder.
  await mkdir(join(folder.path, "stock/.dapr/resources"), { recursive: true });
  await writeFile(join(folder.path, "stock/secrets.json"), '{"key":"hidden"}');
  await writeFile(
    join(folder.path, "stock/.dapr/resources/secrets.yaml"),
    component("secrets", "secretstores.local.file", { secretsFile: "secrets.json" }),
  );
  await using run = startOutrigger(["run", "-f", "."], { cwd: folder.path });
  await run.says("== APP - stock == listening");
  await run.says('Started Dapr with app id "orders"');
  await until("both are ready", async () => {
    const answers = await Promise.all(["orders", "stock"].map((app) => folder.dapr(app, "/v1.0/healthz")));
    return answers.every(({ status }) => status === 204);
  });
  expect(await (await folder.dapr("stock", "/v1.0/secrets/secrets/key")).json()).toEqual({ key: "hidden" });
  expect(run.output).not.toContain("== APP - orders ==");
  await until("the sidecar's log is told", () => /^time="[^"]+" level=info msg="app id: stock"/m.test(run.output));
  expect(run.output).not.toContain('msg="app id: orders"');
  for (const [kind, text] of [
    ["app", "== APP - orders == listening"],
    ["daprd", 'msg="app id: orders"'],
  ] as const) {
    await until(`${text} is in the file`, async () => (await logs(folder.path, "orders", kind)).includes(text));
  }
  const extended = await until("what was started is in the metadata", async () => {
    const metadata = (await (await folder.dapr("orders", "/v1.0/metadata")).json()) as {
      extended: Record<string, string>;
    };
    expect(metadata.extended).toMatchObject({
      cliPID: String(run.pid),
      appCommand: "node app.mjs",
      runTemplatePath: join(folder.path, "dapr.yaml"),
    });
    return metadata.extended;
  });
  expect(extended["appLogPath"]).toContain(join(folder.path, "orders/.dapr/logs/orders_app_"));
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});

it("reads a run file from standard input, and ends when all its apps have ended", async () => {
  await using folder = await devFolder([]);
  await mkdir(join(folder.path, "app"));
  const apps = [0, 4].map(
    (code) =>
      `  - appID: app${code}\n    appDirPath: ./app\n    env: { WORD: ${code === 0 ? "well" : "badly"} }\n    command: [node, -e, "console.log('ended', process.env.WORD); process.exitCode = ${code}"]\n`,
  );
  await using run = startOutrigger(["run", "--run-file", "-"], {
    cwd: folder.path,
    input: `version: 1\napps:\n${apps.join("")}`,
  });
  expect((await run.ended).code).toBe(1);
  expect(run.output).toContain("== APP - app0 == ended well");
  expect(run.output).toContain("== APP - app4 == ended badly");
  expect(run.output).toContain("The App process exited with error code: exit status 4");
});

it("refuses Kubernetes", async () => {
  await using folder = await devFolder([]);
  await using run = startOutrigger(["run", "-k", "-f", "."], { cwd: folder.path });
  expect((await run.ended).code).toBe(1);
  expect(run.output).toMatch(/kubernetes/i);
});
