import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HttpHandler } from "../../src/net/http/types.ts";
import { startSchedulerDouble } from "../harness/scheduler-double.ts";
import { component, type Folder, temporaryFolder } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";

/** A sidecar with a component of every family that needs no server, a scheduler, and an app that answers in all ways. */
export interface FuzzedSidecar extends AsyncDisposable {
  readonly sidecar: TestSidecar;
}

export async function startFuzzed(): Promise<FuzzedSidecar> {
  const folder = await temporaryFolder();
  const scheduler = await startSchedulerDouble();
  const sidecar = await startTestSidecar({
    appId: "me",
    resources: await resources(folder),
    scheduler: { addresses: [scheduler.address], jobStreams: 1 },
    deps: { app: fuzzedApp() },
  });
  return {
    sidecar,
    async [Symbol.asyncDispose]() {
      await sidecar.stop();
      await scheduler.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Subscribes to a topic, and answers by what its route asks of it: well, badly, empty. */
function fuzzedApp(): HttpHandler {
  const subscriptions = JSON.stringify([
    { pubsubname: "broker", topic: "orders", route: "/events", deadLetterTopic: "lost" },
    { pubsubname: "broker", topic: "lost", route: "/lost" },
    {
      pubsubname: "broker",
      topic: "key-1",
      routes: { rules: [{ match: 'event.type == "t"', path: "/events" }], default: "/drop" },
    },
  ]);
  let count = 0;
  return (exchange) => {
    count += 1;
    const [path] = exchange.target.split("?");
    switch (path) {
      case "/dapr/subscribe":
        return exchange.respond(200, ["content-type", "application/json"], subscriptions);
      case "/dapr/config":
        return exchange.respond(404, []);
      case "/drop":
        return exchange.respond(200, [], '{"status":"DROP"}');
      case "/events":
        return exchange.respond(count % 7 === 0 ? 500 : 200, [], count % 5 === 0 ? '{"status":"RETRY"}' : "");
      default:
        return exchange.respond(count % 3 === 0 ? 404 : 200, ["content-type", "text/plain"], exchange.target);
    }
  };
}

async function resources(folder: Folder): Promise<string> {
  const files = join(folder.path, "files");
  const keys = join(folder.path, "keys");
  await mkdir(files);
  await mkdir(keys);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(keys, "RSA"), privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(join(keys, "key-1"), randomBytes(32));
  const secrets = await folder.write("secrets.json", JSON.stringify({ "key-1": "secret", nested: { a: { b: "c" } } }));
  return [
    component("store", "state.in-memory"),
    component("settings", "state.sqlite", { connectionString: join(folder.path, "state.db"), keyPrefix: "none" }),
    component("encrypted", "state.in-memory", { primaryEncryptionKey: randomBytes(16).toString("hex") }),
    component("broker", "pubsub.in-memory"),
    component("locks", "lock.sqlite", { connectionString: join(folder.path, "locks.db") }),
    component("values", "configuration.sqlite", { connectionString: join(folder.path, "values.db") }),
    component("secrets", "secretstores.local.file", { secretsFile: secrets }),
    component("file", "bindings.localstorage", { rootPath: files }),
    component("vault", "crypto.dapr.localstorage", { path: keys }),
    component("echo", "conversation.echo"),
  ].join("---\n");
}
