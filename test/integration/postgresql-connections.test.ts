import { expect, it } from "vitest";
import { postgresqlBindingsManifest } from "../../src/components/postgresql/bindings-manifest.ts";
import type { Binding } from "../../src/components/spi/bindings.ts";
import { postgresDeps } from "../conformance/postgresql.ts";
import {
  POSTGRES_PASSWORD,
  POSTGRES_USER,
  postgresMissing,
  postgresNote,
  startPostgresServer,
} from "../harness/postgres-server.ts";
import { freePort } from "../harness/test-app.ts";

type Metadata = Readonly<Record<string, string>>;

/** Brings a binding up, asks it one thing, and closes it. */
async function ask(metadata: Metadata, sql = "select 1"): Promise<string> {
  const binding: Binding = (await postgresqlBindingsManifest.load())(postgresDeps);
  try {
    await binding.init(metadata, new AbortController().signal);
    const response = await binding.invoke!({ operation: "query", data: new Uint8Array(), metadata: { sql } });
    return Buffer.from(response.data ?? []).toString();
  } finally {
    await binding.close();
  }
}

const IS_TLS = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
const needsPostgres = it.skipIf(postgresMissing !== undefined);

needsPostgres(`every way to write an address leads to the server${postgresNote}`, async () => {
  await using server = await startPostgresServer({ passwords: true });
  const { port, socketFolder } = server;
  const quoted = `'${POSTGRES_PASSWORD.replace(/['\\]/g, "\\$&")}'`;
  const user = { user: POSTGRES_USER, password: POSTGRES_PASSWORD };
  for (const metadata of [
    { connectionString: server.url },
    { url: server.url.replace("postgres://", "postgresql://") },
    { connectionString: `host=127.0.0.1 port=${port} user=${POSTGRES_USER} dbname=postgres password=${quoted}` },
    { connectionString: `host=${socketFolder} port=${port} dbname=postgres`, ...user },
    { host: socketFolder, port: String(port), database: "postgres", ...user },
    { hostaddr: "127.0.0.1", host: "nowhere.invalid", port: String(port), database: "postgres", ...user },
    {
      connectionString: `postgres://wrong:wrong@nowhere.invalid/x`,
      host: "127.0.0.1",
      port: String(port),
      database: "postgres",
      ...user,
    },
    // The first of two hosts does not answer.
    { connectionString: server.url.replace("127.0.0.1:", `127.0.0.1:${await freePort()},127.0.0.1:`) },
  ]) {
    expect([metadata, await ask(metadata)]).toEqual([metadata, "[[1]]"]);
  }
});

needsPostgres(`what the server or the address refuses is said as daprd says it${postgresNote}`, async () => {
  await using server = await startPostgresServer({ passwords: true });
  const { port, url } = server;
  const free = await freePort();
  const place = `127.0.0.1:${port} (127.0.0.1)`;
  const failed = (database: string): string =>
    `failed to ping the DB: failed to connect to \`user=${POSTGRES_USER} database=${database}\`:`;
  const refused = `127.0.0.1:${free} (127.0.0.1): dial error: dial tcp 127.0.0.1:${free}: connect: connection refused`;
  for (const [metadata, message] of [
    [{ connectionString: url.replace(`:${port}`, `:${free}`) }, `${failed("postgres")}\n\t${refused}\n\t${refused}`],
    [
      { connectionString: `${url}?sslmode=require` },
      `${failed("postgres")} ${place}: tls error: server refused TLS connection`,
    ],
    [
      { connectionString: `${url}?sslmode=disable`, password: "wrong" },
      `${failed("postgres")} ${place}: failed SASL auth: FATAL: password authentication failed for user "tester" (SQLSTATE 28P01)`,
    ],
    [
      { connectionString: `${url}?sslmode=disable`, database: "nope" },
      `${failed("nope")} ${place}: server error: FATAL: database "nope" does not exist (SQLSTATE 3D000)`,
    ],
    [
      { connectionString: `${url}?sslmode=disable&foo=bar` },
      `${failed("postgres")} ${place}: server error: FATAL: unrecognized configuration parameter "foo" (SQLSTATE 42704)`,
    ],
  ] as const) {
    await expect(ask(metadata)).rejects.toMatchObject({ kind: "unavailable", message });
  }
});

needsPostgres(`sslmode means what it means for libpq${postgresNote}`, async () => {
  await using server = await startPostgresServer({ tls: true, passwords: true });
  const authority = encodeURIComponent(server.authority);
  const at = (host: string, query: string): Metadata => ({
    connectionString: `${server.url.replace("127.0.0.1", host)}?${query}`,
  });
  const isTls = (metadata: Metadata): Promise<string> => ask(metadata, IS_TLS);
  expect(await isTls(at("127.0.0.1", ""))).toBe("[[true]]");
  expect(await isTls(at("127.0.0.1", "sslmode=disable"))).toBe("[[false]]");
  expect(await isTls(at("127.0.0.1", "sslmode=allow"))).toBe("[[false]]");
  expect(await isTls(at("127.0.0.1", "sslmode=prefer"))).toBe("[[true]]");
  expect(await isTls(at("127.0.0.1", "sslmode=require"))).toBe("[[true]]");
  expect(await isTls(at("127.0.0.1", `sslmode=verify-ca&sslrootcert=${authority}`))).toBe("[[true]]");
  expect(await isTls(at("localhost", `sslmode=verify-full&sslrootcert=${authority}`))).toBe("[[true]]");
  expect(await isTls({ ...at("localhost", "sslmode=verify-full"), sslRootCert: server.authority })).toBe("[[true]]");
  // The certificate is not for the address, is not known, or is not known and would have to be.
  await expect(isTls(at("127.0.0.1", `sslmode=verify-full&sslrootcert=${authority}`))).rejects.toThrow("tls error");
  await expect(isTls(at("localhost", "sslmode=verify-full"))).rejects.toThrow("tls error");
  await expect(isTls(at("localhost", "sslmode=verify-ca"))).rejects.toThrow("tls error");
});

needsPostgres(`a server without TLS is spoken to in the clear where sslmode allows it${postgresNote}`, async () => {
  await using server = await startPostgresServer();
  for (const query of ["", "?sslmode=prefer", "?sslmode=allow", "?sslmode=disable"]) {
    expect(await ask({ connectionString: server.url + query }, IS_TLS)).toBe("[[false]]");
  }
});

needsPostgres(`target_session_attrs picks the server${postgresNote}`, async () => {
  await using server = await startPostgresServer();
  for (const target of ["any", "read-write", "primary", "prefer-standby"]) {
    expect(await ask({ connectionString: `${server.url}?target_session_attrs=${target}` })).toBe("[[1]]");
  }
  for (const [target, reason] of [
    ["read-only", "connection is not read only"],
    ["standby", "server is not in hot standby mode"],
  ]) {
    const metadata = { connectionString: `${server.url}?sslmode=disable&target_session_attrs=${target}` };
    await expect(ask(metadata)).rejects.toThrow(
      `127.0.0.1:${server.port} (127.0.0.1): ValidateConnect failed: ${reason}`,
    );
  }
});
