import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresqlBindingsManifest } from "../../src/components/postgresql/bindings-manifest.ts";
import type { Binding, BindingResponse } from "../../src/components/spi/bindings.ts";
import type { PostgresServer } from "../harness/postgres-server.ts";
import { postgresDeps, withPostgres } from "../conformance/postgresql.ts";

/** One request and what daprd 1.18.3 answered to it, recorded from its own binding on PostgreSQL 15. */
interface Answer {
  readonly operation: string;
  readonly sql: string;
  readonly params?: string;
  readonly rows?: string;
  readonly rowsAffected?: string;
  readonly error?: string;
}

const ANSWERS = JSON.parse(
  readFileSync(join(import.meta.dirname, "postgresql-answers.json"), "utf8"),
) as readonly Answer[];

/** What the recording found in the database. */
const SETUP = `
  create type mood as enum ('sad', 'ok');
  create type pt as (a int, b text);
  create domain posint as int check (value > 0);
  create table foo (id bigint primary key, v1 varchar(50) not null, ts timestamp)`;

/** A binding that lives as long as the suite it is made in. */
function liveBinding(metadata: () => Readonly<Record<string, string>>) {
  let binding: Binding;
  beforeAll(async () => {
    binding = (await postgresqlBindingsManifest.load())(postgresDeps);
    await binding.init(metadata(), new AbortController().signal);
  });
  afterAll(() => binding.close());
  return async (operation: string, sql: string, params?: string): Promise<BindingResponse> => {
    const request = {
      operation,
      data: new Uint8Array(),
      metadata: { sql, ...(params === undefined ? {} : { params }) },
    };
    return await binding.invoke!(request);
  };
}

const textOf = ({ data }: BindingResponse): string => Buffer.from(data ?? []).toString();

withPostgres("bindings.postgresql on a real server", (server) => {
  describe("answers as daprd does", () => answersAsDaprd(server));
  describe("where daprd hides an error", () => showsErrors(server));
  describe("settings of the session", () => ignoresSession(server));
  describe("ways to run statements", () => execModes(server));
  describe("statements that are kept", () => keptStatements(server));
});

function answersAsDaprd(server: PostgresServer): void {
  beforeAll(() => server.sql(SETUP));
  const invoke = liveBinding(() => ({ url: server.url }));

  test.each(ANSWERS)("$operation $sql $params", async ({ operation, sql, params, rows, rowsAffected, error }) => {
    const answer = invoke(operation, sql, params);
    if (error !== undefined) {
      await expect(answer).rejects.toMatchObject({ name: "ComponentError", message: error });
      return;
    }
    const response = await answer;
    expect(textOf(response)).toBe(rows ?? "");
    expect(response.metadata["rows-affected"]).toBe(rowsAffected);
  });

  test("the answer's metadata says what was done and when", async () => {
    const { metadata } = await invoke("query", "select 1");
    expect(metadata).toEqual({
      operation: "query",
      sql: "select 1",
      "start-time": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as unknown,
      "end-time": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as unknown,
      duration: expect.stringMatching(/^[0-9.]+(µs|ms|s)$/) as unknown,
    });
  });

  test("a moment is written in the local time zone", async () => {
    const zone = process.env["TZ"];
    try {
      process.env["TZ"] = "Asia/Kolkata";
      expect(textOf(await invoke("query", "select '2024-02-29 12:00:00.5+00'::timestamptz"))).toBe(
        '[["2024-02-29T17:30:00.5+05:30"]]',
      );
      process.env["TZ"] = "America/New_York";
      expect(textOf(await invoke("query", "select '2024-07-01 12:00:00+00'::timestamptz"))).toBe(
        '[["2024-07-01T08:00:00-04:00"]]',
      );
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("a large row and many rows arrive whole", async () => {
    const large = JSON.parse(textOf(await invoke("query", "select repeat('ü', 3000000)"))) as string[][];
    expect(large[0]?.[0]).toBe("ü".repeat(3_000_000));
    const many: unknown = JSON.parse(
      textOf(await invoke("query", "select x, 'é' || x from generate_series(1, 50000) x")),
    );
    expect((many as unknown[]).length).toBe(50_000);
    expect((many as unknown[])[49_999]).toEqual([50_000, "é50000"]);
  });
}

function showsErrors(server: PostgresServer): void {
  const invoke = liveBinding(() => ({ url: server.url }));

  test.each([
    ["select 1/0", undefined, "ERROR: division by zero (SQLSTATE 22012)"],
    ["select 1/(3-x) from generate_series(1,5) x", undefined, "ERROR: division by zero (SQLSTATE 22012)"],
    ["select $1::int4", '["x"]', 'ERROR: invalid input syntax for type integer: "x" (SQLSTATE 22P02)'],
    [
      "copy pg_largeobject from stdin",
      undefined,
      "ERROR: COPY from stdin failed: no data can be given to COPY here (SQLSTATE 57014)",
    ],
  ])("%s %j", async (sql, params, message) => {
    await expect(invoke("query", sql, params)).rejects.toThrow(`error executing query: ${message}`);
    expect(textOf(await invoke("query", "select 1"))).toBe("[[1]]");
  });
}

function ignoresSession(server: PostgresServer): void {
  const styles = "-c DateStyle=SQL,DMY -c IntervalStyle=iso_8601 -c bytea_output=escape -c TimeZone=Asia/Tokyo";
  const url = `${server.url}?application_name=mine&options=${encodeURIComponent(styles)}`;
  const invoke = liveBinding(() => ({ url }));

  test("do not change how values are written", async () => {
    const sql = "select '01/02/2024'::date, '1 day'::interval, '\\xff'::bytea, current_setting('application_name')";
    expect(textOf(await invoke("query", sql))).toBe(
      '[["2024-02-01T00:00:00Z",{"Microseconds":0,"Days":1,"Months":0,"Valid":true},"/w==","mine"]]',
    );
  });
}

function execModes(server: PostgresServer): void {
  describe.each(["cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"])("%s", (mode) => {
    const invoke = liveBinding(() => ({ url: server.url, queryExecMode: mode }));

    test("gives the same answers", async () => {
      for (let round = 0; round < 2; round += 1) {
        const sql = "select $1::int4 + 1, $2::text, $3::jsonb, $4::bool, $5::float8";
        const { data } = await invoke("query", sql, '[1, "x", {"a": 1}, true, 2.5]');
        expect(Buffer.from(data ?? []).toString()).toBe('[[2,"x",{"a":1},true,2.5]]');
      }
    });

    test("keeps statements prepared only where it says so", async () => {
      const { data } = await invoke(
        "query",
        "select count(*) from pg_prepared_statements where name like 'stmtcache_%'",
      );
      const [[count]] = JSON.parse(Buffer.from(data ?? []).toString()) as [[number]];
      expect(count > 0).toBe(mode === "cache_statement");
    });
  });
}

function keptStatements(server: PostgresServer): void {
  const invoke = liveBinding(() => ({
    connectionString: `${server.url}?statement_cache_capacity=5&pool_max_conns=1`,
  }));

  test("are no more than the limit", async () => {
    for (let index = 0; index < 20; index += 1) {
      await invoke("query", `select ${index}`);
    }
    const { data } = await invoke("query", "select count(*) <= 6 from pg_prepared_statements");
    expect(Buffer.from(data ?? []).toString()).toBe("[[true]]");
  });

  test("are made anew when their table has changed", async () => {
    await invoke("exec", "create table changing (a int); insert into changing values (1)");
    expect(textOf(await invoke("query", "select * from changing"))).toBe("[[1]]");
    await invoke("exec", "alter table changing add b text default 'x'");
    await expect(invoke("query", "select * from changing")).rejects.toThrow("cached plan must not change result type");
    expect(textOf(await invoke("query", "select * from changing"))).toBe('[[1,"x"]]');
  });
}
