import { expect, it } from "vitest";
import { devFolder, isAlive, startOutrigger, TINY_APP } from "../harness/outrigger-program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

it("runs an app beside its sidecar, with Dapr's variables, prefixes and words", async () => {
  await using folder = await temporaryFolder();
  await folder.write("app.mjs", TINY_APP);
  const [appPort, httpPort, grpcPort] = [await freePort(), await freePort(), await freePort()];
  await using run = startOutrigger(
    [
      "run",
      "--app-id=orders",
      `-p${appPort}`,
      "-H",
      String(httpPort),
      `--dapr-grpc-port=${grpcPort}`,
      "--",
      "node",
      "app.mjs",
      "--flag",
    ],
    { cwd: folder.path },
  );
  const said = await run.says("== APP == listening");
  expect(said).toContain(`Starting Dapr with id orders. HTTP Port: ${httpPort}. gRPC Port: ${grpcPort}`);
  expect(said).toContain("You're up and running! Both Dapr and your app logs will appear here.");
  expect(said).toMatch(/^time="[^"]+" level=info msg="app id: orders" app_id=orders /m);
  const url = `http://127.0.0.1:${httpPort}/v1.0`;
  await until("the app is called", async () => {
    expect(await (await fetch(`${url}/invoke/orders/method/hello`)).text()).toBe("orders answers /hello");
    return true;
  });
  const extended = await until("the command is in the metadata", async () => {
    const metadata = (await (await fetch(`${url}/metadata`)).json()) as { extended: Record<string, string> };
    expect(metadata.extended).toMatchObject({ cliPID: String(run.pid), appCommand: "node app.mjs --flag" });
    return metadata.extended["appPID"] !== undefined && metadata.extended;
  });
  const appPid = Number(extended["appPID"]);
  expect(isAlive(appPid)).toBe(true);
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
  expect(run.output).toMatch(/terminated signal received: shutting down\n[^]*Exited App successfully\n/);
  expect(run.output).toContain("Exited Dapr successfully");
  await until("the app is gone", () => !isAlive(appPid));
});

it("gives the app Dapr's variables", async () => {
  await using folder = await temporaryFolder();
  const [appPort, httpPort] = [await freePort(), await freePort()];
  const names = ["APP_ID", "APP_PORT", "APP_PROTOCOL", "APP_CHANNEL_ADDRESS", "DAPR_HTTP_PORT", "OWN"];
  const script = `console.log(${JSON.stringify(names)}.map((name) => process.env[name]).join(" "), +process.env.DAPR_GRPC_PORT > 0, +process.env.DAPR_METRICS_PORT > 0)`;
  await using run = startOutrigger(
    ["run", "-a", "x", "-p", String(appPort), "-P", "grpc", "-H", String(httpPort), "--", "node", "-e", script],
    { cwd: folder.path, env: { OWN: "mine" } },
  );
  expect((await run.ended).code).toBe(0);
  expect(run.output).toContain(`== APP == x ${appPort} grpc 127.0.0.1 ${httpPort} mine true true`);
});

it.each([
  ["ends well with an app that ends well", "0", 0, "Exited App successfully"],
  ["ends badly with an app that ends badly", "3", 1, "The App process exited with error code: exit status 3"],
])("%s", async (_what, exitCode, code, words) => {
  await using folder = await temporaryFolder();
  await using run = startOutrigger(["run", "--", "node", "-e", `process.exitCode = ${exitCode}`], { cwd: folder.path });
  expect((await run.ended).code).toBe(code);
  expect(run.output).toContain(words);
  expect(run.output).toContain("Exited Dapr successfully");
});

it("ends with a sidecar that cannot start, and says why", async () => {
  await using folder = await temporaryFolder();
  await folder.write("store.yaml", component("store", "state.unknown"));
  await using run = startOutrigger(
    ["run", "-a", "x", "--resources-path", ".", "--", "node", "-e", "console.log('no')"],
    {
      cwd: folder.path,
    },
  );
  expect((await run.ended).code).toBe(1);
  expect(run.output).toContain("couldn't find state store state.unknown/v1");
  expect(run.output).not.toContain("== APP ==");
});

it("ends for a port that is taken, and says whose it is", async () => {
  await using folder = await devFolder([{ id: "orders" }]);
  await using dev = startOutrigger(["dev"], { cwd: folder.path });
  await dev.says("Ctrl-C ends all.");
  await dev.says("listening");
  const port = String(folder.appPorts.get("orders"));
  await using run = startOutrigger(["run", "-a", "x", "-H", port, "--", "node", "-e", ""], { cwd: folder.path });
  expect((await run.ended).code).toBe(1);
  expect(run.output).toMatch(
    new RegExp(`invalid configuration for HTTPPort. Port ${port} is not available: pid \\d+ \\(node app.mjs\\)`),
  );
});

it("runs a sidecar alone", async () => {
  await using folder = await temporaryFolder();
  const httpPort = await freePort();
  await using run = startOutrigger(["run", "--app-id", "alone", "--dapr-http-port", String(httpPort)], {
    cwd: folder.path,
  });
  await run.says("You're up and running! Dapr logs will appear here.");
  await until("it is ready", async () => (await fetch(`http://127.0.0.1:${httpPort}/v1.0/healthz`)).status === 204);
  expect(await run.signal("SIGTERM")).toMatchObject({ code: 0 });
});

it("leaves no orphan when it is killed", async () => {
  await using folder = await temporaryFolder();
  const script = "console.log(process.pid); setInterval(() => undefined, 1000)";
  await using run = startOutrigger(["run", "--", "node", "-e", script], { cwd: folder.path });
  const pid = await until(
    "the app says its id",
    () => Number(/== APP == (\d+)/.exec(run.output)?.[1] ?? 0) || undefined,
  );
  await run.signal("SIGKILL");
  await until("the app is gone", () => !isAlive(pid));
});
