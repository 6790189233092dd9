import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { postgresSettings } from "./settings.ts";

const URL = "postgres://u:secret@h/db";

function settings(metadata: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) {
  return postgresSettings(metadata, { name: "pg", logger: silentLogger, environment });
}

describe("postgresSettings", () => {
  it("has pgx's defaults", () => {
    expect(settings({ url: URL })).toMatchObject({
      user: "u",
      database: "db",
      password: "secret",
      target: "any",
      sessionParameters: {},
      connectMs: 120_000,
      execMode: "cache_statement",
      statementsMax: 512,
      timeoutMs: 20_000,
      pool: {
        connectionsMin: 0,
        idleConnectionsMin: 0,
        lifetimeMs: 3_600_000,
        lifetimeJitterMs: 0,
        idleMs: 1_800_000,
        healthPeriodMs: 60_000,
      },
    });
    expect(settings({ url: URL }).pool.connectionsMax).toBeGreaterThanOrEqual(4);
  });

  it("reads the pool from the connection string, and metadata goes before it", () => {
    const url = `${URL}?pool_max_conns=7&pool_min_conns=2&pool_min_idle_conns=1&pool_max_conn_lifetime=1h30m&pool_max_conn_idle_time=10s&pool_health_check_period=5s&pool_max_conn_lifetime_jitter=1s&default_query_exec_mode=exec&statement_cache_capacity=3&connect_timeout=4&application_name=x`;
    const pool = {
      connectionsMax: 7,
      connectionsMin: 2,
      idleConnectionsMin: 1,
      lifetimeMs: 5_400_000,
      lifetimeJitterMs: 1_000,
      idleMs: 10_000,
      healthPeriodMs: 5_000,
    };
    expect(settings({ url })).toMatchObject({
      pool,
      execMode: "exec",
      statementsMax: 3,
      connectMs: 4_000,
      sessionParameters: { application_name: "x" },
    });
    expect(
      settings({
        url,
        maxConns: "9",
        connectionMaxIdleTime: "1m",
        queryExecMode: "describe_exec",
        timeoutInSeconds: "42",
      }),
    ).toMatchObject({
      pool: { ...pool, connectionsMax: 9, idleMs: 60_000 },
      execMode: "describe_exec",
      timeoutMs: 42_000,
    });
    // One and less do not count.
    expect(settings({ url, maxConns: "1" }).pool.connectionsMax).toBe(7);
  });

  it("takes what the connection string leaves open from the environment it is handed", () => {
    const environment = {
      PGHOST: "envhost",
      PGUSER: "envuser",
      PGPASSWORD: "envpass",
      PGAPPNAME: "envapp",
      PGPORT: "7",
    };
    expect(settings({ connectionString: "user=me sslmode=disable" }, environment)).toMatchObject({
      endpoints: [{ host: "envhost", port: 7, tls: undefined }],
      user: "me",
      password: "envpass",
      sessionParameters: { application_name: "envapp" },
    });
  });

  it.each([
    ["", [{ rejectUnauthorized: false }, undefined]],
    ["prefer", [{ rejectUnauthorized: false }, undefined]],
    ["allow", [undefined, { rejectUnauthorized: false }]],
    ["disable", [undefined]],
    ["require", [{ rejectUnauthorized: false }]],
    ["verify-full", [{ rejectUnauthorized: true }]],
  ])("sslmode %j is tried as %j", (mode, tls) => {
    const { endpoints } = settings({ url: `postgres://u@a:1,b:2/db?sslmode=${mode}` });
    expect(endpoints).toEqual([
      ...tls.map((one) => ({ host: "a", port: 1, tls: one })),
      ...tls.map((one) => ({ host: "b", port: 2, tls: one })),
    ]);
  });

  it("knows no TLS on a Unix socket", () => {
    expect(settings({ connectionString: "host=/run/pg sslmode=require user=u" }).endpoints).toEqual([
      { host: "/run/pg", port: 5432, tls: undefined },
    ]);
  });

  it.each([
    [{}, "invalidMetadata", "failed to build connection string"],
    [{ url: URL, timeout: "0" }, "invalidMetadata", "invalid value for 'timeout': must be greater than 1s"],
    [{ url: URL, queryExecMode: "x" }, "invalidMetadata", "invalid queryExecMode metadata value: x"],
    [{ url: URL, useAzureAD: "true" }, "unsupported", "useAzureAD is not supported yet: use a user with a password"],
    [{ url: URL, useAWSIAM: "y" }, "unsupported", "useAWSIAM is not supported yet: use a user with a password"],
    [{ url: `${URL}?service=x` }, "unsupported", "service is not supported yet in a connection string"],
    [{ url: `${URL}?channel_binding=require` }, "unsupported", "channel_binding=require is not supported yet"],
    [{ url: `${URL}?sslmode=foo` }, "invalidMetadata", "failed to configure TLS (sslmode is invalid)"],
    [
      { url: `${URL}?sslcert=/c` },
      "invalidMetadata",
      'failed to configure TLS (both "sslcert" and "sslkey" are required)',
    ],
    [
      { url: URL, sslRootCert: "/none.pem" },
      "invalidMetadata",
      "failed to configure TLS (unable to read CA file: open /none.pem: no such file or directory)",
    ],
    [{ url: `${URL}?pool_max_conns=0` }, "invalidMetadata", "pool_max_conns too small"],
    [
      { url: `${URL}?pool_max_conns=x` },
      "invalidMetadata",
      'cannot parse pool_max_conns (strconv.ParseInt: parsing "x": invalid syntax)',
    ],
    [
      { url: `${URL}?pool_max_conn_lifetime=1` },
      "invalidMetadata",
      'cannot parse pool_max_conn_lifetime (time: missing unit in duration "1")',
    ],
    [{ url: `${URL}?connect_timeout=-1` }, "invalidMetadata", "invalid connect_timeout (negative timeout)"],
    [
      { connectionString: "host=localhost port=x user=u password=secret" },
      "invalidMetadata",
      'cannot parse `host=localhost port=x user=u password=xxxxx`: invalid port (strconv.ParseUint: parsing "x": invalid syntax)',
    ],
    [{ url: `${URL}?target_session_attrs=x` }, "invalidMetadata", "unknown target_session_attrs value: x"],
  ])("refuses %j", (metadata: Readonly<Record<string, string>>, kind, message) => {
    let error: unknown;
    try {
      settings(metadata);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: "ComponentError", kind, message: expect.stringContaining(message) as unknown });
    expect(String(error)).not.toContain("secret");
  });
});
