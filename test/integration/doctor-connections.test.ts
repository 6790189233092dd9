import { describe, expect, it } from "vitest";
import { startOutrigger } from "../harness/outrigger-program.ts";
import { redisMissing, redisNote, startRedisServer, type RedisServer } from "../harness/redis-server.ts";
import { component, temporaryFolder } from "../harness/resources.ts";

const TYPES = ["state.redis", "pubsub.redis", "lock.redis", "configuration.redis", "bindings.redis"];

/** What the doctor says of a sidecar with components of all types, which log in with this password. */
async function diagnosed(
  redis: RedisServer,
  redisPassword: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  await using folder = await temporaryFolder();
  const login = { redisHost: redis.address, redisUsername: "shop", redisPassword, redisMaxRetries: "0" };
  const components = TYPES.map((type) => component(type.replace(".", "-"), type, login));
  await folder.write("all.yaml", components.join("---\n"));
  const flags = ["sidecar", "--app-id=shop", "--placement-host-address=", "--scheduler-host-address="];
  await using doctor = startOutrigger(["doctor", ...flags, `--resources-path=${folder.path}`], { cwd: folder.path });
  const { code } = await doctor.ended;
  return { code, output: doctor.output };
}

/** Commands that the server has been given, as its statistics name them. */
async function commandsOf(redis: RedisServer): Promise<readonly string[]> {
  const statistics = await redis.command("INFO", "commandstats");
  return [...statistics.matchAll(/^cmdstat_([^:]+)/gm)].map(([, name]) => name ?? "");
}

describe.skipIf(redisMissing !== undefined)(`the doctor tries connections${redisNote}`, () => {
  it("and finds a password that is wrong, without a change at the server", async () => {
    await using redis = await startRedisServer();
    await redis.command("ACL", "SETUSER", "shop", "on", ">right", "~*", "&*", "+@all");
    const writing = (await redis.command("COMMAND", "LIST", "FILTERBY", "ACLCAT", "write")).split("\r\n");
    expect(writing).toContain("hset");
    await redis.command("CONFIG", "RESETSTAT");

    const right = await diagnosed(redis, "right");
    expect(right.output).toMatch(/^ok {5}connections/m);
    expect(await commandsOf(redis)).toContain("info");
    const changing = new Set([...writing, "config|set"]);
    expect((await commandsOf(redis)).filter((name) => changing.has(name))).toEqual([]);
    expect(await redis.command("DBSIZE")).toContain(":0");

    const wrong = await diagnosed(redis, "wrong");
    expect(wrong.code).toBe(2);
    for (const type of TYPES) {
      expect(wrong.output).toMatch(
        new RegExp(`✗ component ${type.replace(".", "-")} \\(${type}/v1\\) does not come up: .*WRONGPASS`),
      );
    }
    expect(wrong.output).toMatch(/^ok {5}reachability/m);
  });
});
