import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { postgresMissing, postgresNote, startPostgresServer } from "../harness/postgres-server.ts";
import { component } from "../harness/resources.ts";
import { installed, startSidecar } from "./program.ts";

it.skipIf(postgresMissing !== undefined)(
  `the executable carries PostgreSQL: it logs in over TLS and runs statements in an empty environment${postgresNote}`,
  async () => {
    await using server = await startPostgresServer({ passwords: true, tls: true });
    using home = installed();
    const resources = join(home.folder, "resources");
    mkdirSync(resources);
    const metadata = { connectionString: `${server.url}?sslmode=require`, maxConns: "2" };
    writeFileSync(join(resources, "db.yaml"), component("db", "bindings.postgresql", metadata));
    await using sidecar = await startSidecar(home.program, [
      "sidecar",
      "--app-id=alone",
      `--resources-path=${resources}`,
    ]);
    const invoke = (operation: string, sql: string, params = ""): Promise<Response> =>
      sidecar.fetch("/v1.0/bindings/db", {
        method: "POST",
        body: JSON.stringify({ operation, metadata: { sql, params } }),
      });
    expect((await invoke("exec", "create table orders (id int, name text)")).status).toBe(200);
    const inserted = await invoke("exec", "insert into orders values ($1, $2)", '[7, "héllo"]');
    expect(inserted.headers.get("metadata.rows-affected")).toBe("1");
    expect(await (await invoke("query", "select * from orders")).text()).toBe('[[7,"héllo"]]');
    expect(await sidecar.stop("SIGTERM")).toBe(0);
    expect(sidecar.stderr()).toBe("");
  },
);
