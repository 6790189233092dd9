import { expect, it } from "vitest";
import { postgresqlBindingsManifest } from "../../src/components/postgresql/bindings-manifest.ts";
import type { Binding } from "../../src/components/spi/bindings.ts";
import type { ReportedCondition } from "../../src/components/spi/component.ts";
import { postgresDeps } from "../conformance/postgresql.ts";
import { type PostgresServer, postgresMissing, postgresNote, startPostgresServer } from "../harness/postgres-server.ts";
import { component } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const needsPostgres = it.skipIf(postgresMissing !== undefined);

/** For what only has to come about, on a machine that stops programs for seconds. */
const PATIENCE_MS = 30_000;
const TEST_MS = 180_000;

interface OpenOptions {
  /** Follows the address. */
  readonly query?: string;
  /** For a connection; where a test does not wait for it, it is longer than what a busy machine takes. */
  readonly timeout?: string;
  report?(condition: ReportedCondition): void;
}

/** A binding that closes with its test. */
async function open(server: PostgresServer, { query = "", timeout = "30s", report = () => {} }: OpenOptions = {}) {
  const binding: Binding = (await postgresqlBindingsManifest.load())({ ...postgresDeps, report });
  await binding.init({ connectionString: server.url + query, timeout }, new AbortController().signal);
  return {
    run: async (operation: string, sql: string, params = "", signal?: AbortSignal): Promise<string> => {
      const request = { operation, data: new Uint8Array(), metadata: { sql, params } };
      const { data, metadata } = await binding.invoke!(request, signal);
      return operation === "exec" ? (metadata["rows-affected"] ?? "") : Buffer.from(data ?? []).toString();
    },
    close: () => binding.close(),
    [Symbol.asyncDispose]: () => binding.close(),
  };
}

/** Takes until there is a row. */
const UNTIL_RELEASED =
  "do $$ begin while not exists (select from released) loop perform pg_sleep(0.05); end loop; end $$";

const SESSIONS = "select count(*) from pg_stat_activity where application_name = 'probe'";

needsPostgres(
  `a PostgreSQL that is killed and started again under load loses nothing acknowledged${postgresNote}`,
  async () => {
    await using server = await startPostgresServer();
    await server.sql("create table numbers (n int primary key)");
    await using one = await startTestSidecar({
      resources: component("db", "bindings.postgresql", { connectionString: server.url, timeout: "10s" }),
    });
    const inserted = new Set<number>();
    let refused = 0;
    let next = 0;
    let ended = false;
    const work = async (): Promise<void> => {
      while (!ended) {
        next += 1;
        const n = next;
        const metadata = { sql: "insert into numbers values ($1)", params: `[${n}]` };
        const body = JSON.stringify({ operation: "exec", metadata });
        const response = await one.fetch("/v1.0/bindings/db", { method: "POST", body });
        await response.arrayBuffer();
        if (response.status === 200 && response.headers.get("metadata.rows-affected") === "1") inserted.add(n);
        else refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const workers = Promise.all(Array.from({ length: 8 }, work));
    await until("the load runs", () => inserted.size > 100, PATIENCE_MS);
    for (let round = 0; round < 2; round += 1) {
      await server.kill();
      const before = refused;
      await until("the outage is noticed", () => refused > before, PATIENCE_MS);
      await server.start();
      const there = inserted.size;
      await until("statements run again", () => inserted.size > there + 20, PATIENCE_MS);
    }
    ended = true;
    await workers;
    const rows = new Set((await server.sql("select n from numbers")).map(([n]) => Number(n)));
    expect([...inserted].filter((n) => !rows.has(n))).toEqual([]);
  },
  TEST_MS,
);

needsPostgres(`loss and return of the server are reported without traffic${postgresNote}`, async () => {
  await using server = await startPostgresServer();
  const conditions: ReportedCondition[] = [];
  await using binding = await open(server, { report: (condition) => void conditions.push(condition) });
  expect(conditions).toEqual(["ready"]);
  await server.kill();
  await until("the loss is reported", () => conditions.at(-1) === "degraded");
  await expect(binding.run("query", "select 1")).rejects.toMatchObject({
    kind: "unavailable",
    message: expect.stringMatching(
      /^error executing query: failed to connect to `user=tester database=postgres`:/,
    ) as unknown,
  });
  await server.start();
  await until("the return is reported", () => conditions.at(-1) === "ready");
  expect(await binding.run("query", "select 1")).toBe("[[1]]");
});

needsPostgres(`a server that stops answering is given up and found again${postgresNote}`, async () => {
  await using server = await startPostgresServer();
  await using binding = await open(server, { timeout: "3s" });
  // Idle for long enough to be asked whether it is alive.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  server.pause();
  try {
    await expect(binding.run("query", "select 1")).rejects.toMatchObject({ kind: "unavailable" });
  } finally {
    server.resume();
  }
  await until("it answers again", async () => (await binding.run("query", "select 1")) === "[[1]]");
});

needsPostgres(
  `requests share the connections of the pool and wait for them no longer than the timeout${postgresNote}`,
  async () => {
    await using server = await startPostgresServer();
    const query = "?pool_max_conns=2&application_name=probe";
    await using patient = await open(server, { query });
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, n) => patient.run("query", "select $1::int4", `[${n}]`)),
    );
    expect(all).toEqual(Array.from({ length: 50 }, (_, n) => `[[${n}]]`));
    expect(await server.sql(SESSIONS)).toEqual([["2"]]);

    await server.sql("create table released (at timestamp)");
    await using binding = await open(server, { query, timeout: "3s" });
    const slow = [1, 2].map(() => binding.run("exec", UNTIL_RELEASED));
    await expect(binding.run("query", "select 1")).rejects.toThrow(
      "error executing query: no connection within 3s: at most 2 may be open, 2 are in use",
    );
    await server.sql("insert into released values (now())");
    await Promise.all(slow);
    expect(await binding.run("query", "select 1")).toBe("[[1]]");
  },
);

needsPostgres(`a request that is given up leaves neither a connection nor its place${postgresNote}`, async () => {
  await using server = await startPostgresServer();
  await using binding = await open(server, { query: "?pool_max_conns=1&application_name=probe" });
  const controller = new AbortController();
  const given = binding.run("query", "select pg_sleep(30)", "", controller.signal);
  await until("it runs", async () => (await server.sql(`${SESSIONS} and state = 'active'`))[0]?.[0] === "1");
  controller.abort(new Error("enough"));
  await expect(given).rejects.toMatchObject({ kind: "timeout" });
  expect(await binding.run("query", "select 1")).toBe("[[1]]");
  await until("the server has stopped too", async () => (await server.sql(SESSIONS))[0]?.[0] === "1");
});

needsPostgres(`a closed binding has closed its connections and says that it is closed${postgresNote}`, async () => {
  await using server = await startPostgresServer();
  await using binding = await open(server, { query: "?pool_max_conns=5&pool_min_conns=3&application_name=probe" });
  await until("the pool is filled", async () => (await server.sql(SESSIONS))[0]?.[0] === "3");
  expect(await binding.run("close", "")).toBe("");
  await expect(binding.run("query", "select 1")).rejects.toThrow("component is closed");
  await until("its connections are gone", async () => (await server.sql(SESSIONS))[0]?.[0] === "0");
});
