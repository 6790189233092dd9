import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startConsulAgent } from "../harness/consul-agent.ts";
import { redisMissing, startRedisServer } from "../harness/redis-server.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { startSentryProgram } from "../harness/sentry-program.ts";
import { SYSTEMD_FOLDER } from "../harness/systemd-unit.ts";
import { until } from "../harness/until.ts";
import { etcdMissing } from "../harness/etcd-server.ts";
import { HostNetwork, hostNetworkMissing } from "./host-network.ts";
import { shareFiles, VmHost } from "./vm-host.ts";

const missing = hostNetworkMissing ?? redisMissing ?? etcdMissing;

const HOSTS = 3;
/** Actors, each with a reminder, and as many jobs. */
const ACTORS = 6;
/** A start, an election and the end of a killed scheduler's lease, on a busy machine. */
const PATIENCE_MS = 60_000;
/** It takes 45 seconds on four cores that are busy. What is not over then fails by itself, and is cleaned up in time. */
const WORK_MS_MAX = 240_000;
const TEST_MS_MAX = 330_000;

/** The whole answer of a call of a host's sidecar. */
async function callHost(
  over: AbortSignal,
  host: VmHost,
  method: string,
  path: string,
  body?: unknown,
): Promise<string> {
  const response = await fetch(host.apiUrl + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any([over, AbortSignal.timeout(10_000)]),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
  return text;
}

test.skipIf(missing !== undefined)(
  `three hosts, one of which is lost and comes back${missing === undefined ? "" : ` (${missing})`}`,
  async () => {
    const over = AbortSignal.timeout(WORK_MS_MAX);
    const call = callHost.bind(undefined, over);
    await using folder = await temporaryFolder();
    await using network = await HostNetwork.open(HOSTS);
    await using consul = await startConsulAgent({ address: network.outside });
    await using redis = await startRedisServer({ address: network.outside });
    {
      // The credentials that all hosts share are made once, anywhere.
      await using maker = await startSentryProgram();
      await shareFiles(folder.path, maker.folder.path);
    }
    await folder.write("sentry.yaml", readFileSync(join(SYSTEMD_FOLDER, "sentry.yaml"), "utf8"));
    const sidecarYaml = readFileSync(join(SYSTEMD_FOLDER, "sidecar.yaml"), "utf8");
    await folder.write("sidecar.yaml", sidecarYaml.replace("127.0.0.1:8500", `${network.outside}:${consul.port}`));
    await folder.write(
      "resources/store.yaml",
      `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec:
  type: state.redis
  version: v1
  metadata:
    - { name: redisHost, value: "${network.outside}:${redis.port}" }
    - { name: actorStateStore, value: "true" }
`,
    );

    const host = (number: number): VmHost =>
      new VmHost({
        network,
        number,
        hosts: HOSTS,
        appId: number === 1 ? "front" : "counter",
        hostsActors: number !== 1,
        folder: folder.path,
      });
    const hosts = [host(1), host(2), host(3)] as const;
    const [front, kept, lost] = hosts;
    const events = async (): Promise<readonly string[]> =>
      (await readFile(join(folder.path, "events"), "utf8").catch(() => "")).split("\n").slice(0, -1);
    const counted = new Map<string, number>();

    try {
      await Promise.all(hosts.map((each) => each.start()));
      for (const each of hosts) {
        await until(`${each.name} is ready`, () => call(each, "GET", "/v1.0/healthz").then(() => true), PATIENCE_MS);
      }

      /** Every actor counts once more, one after the other; what was acknowledged is remembered. @returns the hosts they were on */
      const countAll = async (): Promise<ReadonlySet<string>> => {
        const where = new Set<string>();
        for (let actor = 0; actor < ACTORS; actor += 1) {
          const id = `a${actor}`;
          const { host: on, count } = JSON.parse(
            await until(`${id} counts`, () => call(front, "PUT", `/v1.0/actors/Counter/${id}/method/add`), PATIENCE_MS),
          ) as { host: string; count: number };
          where.add(on);
          // A call that was not answered may have counted.
          expect(count).toBeGreaterThan(counted.get(id) ?? 0);
          counted.set(id, count);
        }
        return where;
      };
      const greeted = async (): Promise<ReadonlySet<string>> => {
        const where = new Set<string>();
        for (let attempt = 0; attempt < 20; attempt += 1) {
          where.add(await call(front, "GET", "/v1.0/invoke/counter/method/hello"));
        }
        return where;
      };
      const areBoth = (where: ReadonlySet<string>): boolean => where.has("h2") && where.has("h3");
      /** Resolves when every reminder and every job has come again since now. */
      const allComeAgain = async (when: string): Promise<void> => {
        const before = (await events()).length;
        await until(
          `reminders and jobs come ${when}`,
          async () => {
            const since = (await events()).slice(before).map((line) => line.slice(line.indexOf(" ") + 1));
            return new Set(since).size === 2 * ACTORS;
          },
          PATIENCE_MS,
        );
      };

      for (let actor = 0; actor < ACTORS; actor += 1) {
        await until(
          `reminder and job ${actor} are taken`,
          async () => {
            await call(kept, "POST", `/v1.0/actors/Counter/a${actor}/reminders/r`, { dueTime: "0s", period: "1s" });
            await call(front, "POST", `/v1.0-alpha1/jobs/j${actor}`, {
              schedule: "@every 1s",
              dueTime: "0s",
              data: {},
              overwrite: true,
            });
            return true;
          },
          PATIENCE_MS,
        );
      }
      await until("actors are on both hosts", async () => areBoth(await countAll()), PATIENCE_MS);
      await until("calls reach both hosts", async () => areBoth(await greeted()), PATIENCE_MS);
      await allComeAgain("with three hosts");

      network.link(3, "down");
      await until("calls reach the second host alone", async () => !(await greeted()).has("h3"), PATIENCE_MS);
      await until("actors are on the second host alone", async () => !(await countAll()).has("h3"), PATIENCE_MS);
      await lost.kill();
      await allComeAgain("with two hosts");
      await countAll();
      const sinceLoss = await events();

      network.link(3, "up");
      await lost.start();
      await until("the third host is back", () => call(lost, "GET", "/v1.0/healthz").then(() => true), PATIENCE_MS);
      await until("calls reach it", async () => areBoth(await greeted()), PATIENCE_MS);
      await until("it has actors", async () => areBoth(await countAll()), PATIENCE_MS);
      await until(
        "it is reminded",
        async () => (await events()).slice(sinceLoss.length).some((line) => line.startsWith("h3 reminder")),
        PATIENCE_MS,
      );
      await allComeAgain("with three hosts again");

      for (const each of hosts) {
        expect(await each.said("sidecar")).not.toContain("mTLS is disabled");
      }
    } catch (error) {
      const said = await Promise.all(
        hosts.flatMap((each) =>
          ["sentry", "placement", "scheduler", "sidecar"].map(
            async (role) => `--- ${each.name} ${role}\n${(await each.said(role)).slice(-2_000)}`,
          ),
        ),
      );
      throw new Error(`${String(error)}\n${said.join("\n")}`, { cause: error });
    } finally {
      await Promise.all(hosts.map((each) => each.kill()));
    }
  },
  TEST_MS_MAX,
);
