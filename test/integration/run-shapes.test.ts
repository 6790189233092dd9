import { readdir, readFile } from "node:fs/promises";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { component, type Folder, temporaryFolder } from "../harness/resources.ts";
import { freePort } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

/** One miniature for each building block in the shape that Dapr's quickstarts have: folders, run files, calls. */

const CALL = `
const dapr = async (method, path, body, headers = {}) => {
  const url = "http://localhost:" + process.env.DAPR_HTTP_PORT + path;
  const init = { method, headers: { "content-type": "application/json", ...headers } };
  const answer = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(path + " " + answer.status + " " + text);
  return text;
};
`;

/** Answers calls with `respond(path, body)`; undefined is 404. */
const SERVE = `
import { createServer } from "node:http";
const serve = (respond) => createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const answer = respond(request.url, text === "" ? undefined : JSON.parse(text));
  response.statusCode = answer === undefined ? 404 : 200;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
}).listen(Number(process.env.APP_PORT), () => console.log("listening"));
`;

async function folderOf(files: Readonly<Record<string, string>>): Promise<Folder> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return folder;
}

it("state: saves, reads and deletes, and ends when the app has ended", async () => {
  await using folder = await folderOf({
    "resources/store.yaml": component("statestore", "state.sqlite", { connectionString: "state.db" }),
    "js/app/index.mjs": `${CALL}
      await dapr("POST", "/v1.0/state/statestore", [{ key: "1", value: { orderId: "1" } }]);
      console.log("got", await dapr("GET", "/v1.0/state/statestore/1"));
      await dapr("DELETE", "/v1.0/state/statestore/1");
      console.log("left", JSON.stringify(await dapr("GET", "/v1.0/state/statestore/1")));`,
  });
  await using run = startOutrigger(
    ["run", "--app-id", "order-processor", "--resources-path", "../../resources/", "--", "node", "index.mjs"],
    { cwd: join(folder.path, "js/app") },
  );
  expect((await run.ended).code).toBe(0);
  expect(run.output).toContain('got {"orderId":"1"}');
  expect(run.output).toContain('left ""');
  expect(run.output).toContain("Exited App successfully");
  // Relative paths of a component start where the command does.
  expect(await readdir(join(folder.path, "js/app"))).toContain("state.db");
});

it("secrets: a file named in a component is looked for where the command runs", async () => {
  await using folder = await folderOf({
    "components/secrets.yaml": component("localsecretstore", "secretstores.local.file", {
      secretsFile: "secrets.json",
      nestedSeparator: ":",
    }),
    "js/app/secrets.json": '{ "secret": "pass", "nested": { "key": "deep" } }',
    "js/app/index.mjs": `${CALL}
      for (const key of ["secret", "nested:key"]) console.log(await dapr("GET", "/v1.0/secrets/localsecretstore/" + key));`,
  });
  await using run = startOutrigger(["run", "--resources-path", "../../components/", "--", "node", "index.mjs"], {
    cwd: join(folder.path, "js/app"),
  });
  expect((await run.ended).code).toBe(0);
  expect(run.output).toContain('{"secret":"pass"}');
  expect(run.output).toContain('{"nested:key":"deep"}');
});

it("configuration: an app reads at its start, hears of changes, and leaves by itself", async () => {
  await using folder = await folderOf({
    "components/configstore.yaml": component("configstore", "configuration.sqlite", {
      connectionString: "config.db",
      pollInterval: "20ms",
    }),
    "js/app/index.mjs": `${CALL}${SERVE}
      const store = "/v1.0/configuration/configstore";
      let id;
      serve((path, body) => {
        if (path === "/configuration/configstore/orderId") {
          console.log("changed", JSON.stringify(body.items));
          dapr("GET", store + "/" + id + "/unsubscribe").then((text) => (console.log("left", text), process.exit(0)));
          return {};
        }
      });
      console.log("read", JSON.stringify(await dapr("GET", store + "?key=orderId")));
      for (;;) {
        try { ({ id } = JSON.parse(await dapr("GET", store + "/subscribe?key=orderId"))); break; } catch {}
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      console.log("subscribed");`,
  });
  const cwd = join(folder.path, "js/app");
  const flags = ["--app-id", "order-processor", "--resources-path", "../../components/", "--app-port"];
  const port = String(await freePort());
  await using run = startOutrigger(["run", ...flags, port, "--", "node", "index.mjs"], { cwd });
  await run.says('read ""');
  await run.says("subscribed");
  using database = new DatabaseSync(join(cwd, "config.db"), { timeout: 2_000 });
  database.exec("REPLACE INTO configuration (key, value, version) VALUES ('orderId', '103', '1')");
  expect((await run.ended).code).toBe(0);
  expect(run.output).toMatch(/changed {"orderId":{"value":"103"/);
  expect(run.output).toContain('left {"ok":true}');
});

it("invocation: a header names the app to be called, and no resources are needed", async () => {
  const port = await freePort();
  await using folder = await folderOf({
    "order-processor/index.mjs": `${SERVE}
      serve((path, body) => path === "/orders" ? (console.log("received", JSON.stringify(body)), {}) : undefined);`,
    "checkout/index.mjs": `${CALL}
      for (let orderId = 1; orderId <= 3; orderId++) {
        const body = { orderId };
        try { await dapr("POST", "/orders", body, { "dapr-app-id": "order-processor" }); } catch (error) {
          orderId--; // It may not be there yet.
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        }
        console.log("passed", JSON.stringify(body));
      }`,
    "dapr.yaml": `version: 1
apps:
  - { appID: order-processor, appDirPath: ./order-processor/, appPort: ${port}, command: [node, index.mjs] }
  - { appID: checkout, appDirPath: ./checkout/, command: [node, index.mjs] }
`,
  });
  await using run = startOutrigger(["run", "-f", "."], { cwd: folder.path });
  await run.says('== APP - checkout == passed {"orderId":3}');
  expect(run.output).toContain('== APP - order-processor == received {"orderId":3}');
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});

it("pub/sub: two apps share a broker that the common section names", async () => {
  const port = await freePort();
  await using folder = await folderOf({
    // A Configuration beside the components is no component, and no mistake.
    "components/observability.yaml":
      "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: daprConfig }\nspec: { tracing: { samplingRate: '1' } }\n",
    "js/order-processor/index.mjs": `${SERVE}
      serve((path, body) => {
        if (path === "/dapr/subscribe") return [{ pubsubname: "orderpubsub", topic: "orders", route: "orders" }];
        if (path === "/orders") return console.log("received", JSON.stringify(body.data)), {};
      });`,
    "js/checkout/index.mjs": `${CALL}
      // What is published before the other app has subscribed need not reach it.
      for (let orderId = 1; ; orderId++) {
        await dapr("POST", "/v1.0/publish/orderpubsub/orders", { orderId });
        console.log("published", orderId);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }`,
    "js/dapr.yaml": `version: 1
common:
  resourcesPath: ../components/
apps:
  - { appID: order-processor, appDirPath: ./order-processor/, appPort: ${port}, command: [node, index.mjs] }
  - { appID: checkout, appDirPath: ./checkout/, command: [node, index.mjs] }
`,
  });
  const broker = { connectionString: join(folder.path, "broker.db") };
  writeFileSync(join(folder.path, "components/pubsub.yaml"), component("orderpubsub", "pubsub.sqlite", broker));
  await using run = startOutrigger(["run", "-f", "."], { cwd: join(folder.path, "js") });
  const said = await run.says("== APP - order-processor == received {");
  const orderId = /received \{"orderId":(\d+)\}/.exec(said)?.[1];
  await run.says(`== APP - checkout == published ${orderId}`);
  expect(await run.signal("SIGTERM")).toMatchObject({ code: 0 });
});

it("bindings: cron calls the app, which calls an output binding; an app's resources start at its folder", async () => {
  const port = await freePort();
  const cron = component("cron", "bindings.cron", { schedule: "@every 1s", direction: "input" });
  await using folder = await folderOf({
    // A namespace counts only where the sidecar has one.
    "components/cron.yaml": cron.replace("name: cron\n", "name: cron\n  namespace: quickstarts\n"),
    "orders.json": '{ "orders": [{ "orderid": 1 }, { "orderid": 2 }] }',
    "js/http/batch/index.mjs": `${CALL}${SERVE}
      import { readFile } from "node:fs/promises";
      serve((path) => {
        if (path !== "/cron") return undefined;
        readFile("../../../orders.json", "utf8").then(async (text) => {
          for (const { orderid } of JSON.parse(text).orders) {
            const metadata = { fileName: "order-" + orderid };
            await dapr("POST", "/v1.0/bindings/files", { operation: "create", metadata, data: { orderid } });
          }
          console.log("processed");
        });
        return {};
      });`,
    "js/http/dapr.yaml": `version: 1
apps:
  - appID: batch-http
    appDirPath: ./batch
    appPort: ${port}
    command: ["node", "index.mjs"]
    resourcesPath: ../../../components
`,
  });
  const files = join(folder.path, "out");
  mkdirSync(files);
  writeFileSync(
    join(folder.path, "components/files.yaml"),
    component("files", "bindings.localstorage", { rootPath: files, direction: "output" }),
  );
  await using run = startOutrigger(["run", "-f", "."], { cwd: join(folder.path, "js/http") });
  await run.says("== APP - batch-http == processed");
  expect(await readFile(join(files, "order-2"), "utf8")).toBe('{"orderid":2}');
  await until("the app's log is in its folder", async () =>
    (await readdir(join(folder.path, "js/http/batch/.dapr/logs"))).some((name) =>
      /^batch-http_app_\d{14}\.log$/.test(name),
    ),
  );
  expect(await run.signal("SIGINT")).toMatchObject({ code: 0 });
});
