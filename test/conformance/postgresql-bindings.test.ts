import { postgresqlBindingsManifest } from "../../src/components/postgresql/bindings-manifest.ts";
import { bindingsConformance } from "./bindings.ts";
import { postgresDeps, withPostgres } from "./postgresql.ts";

withPostgres("bindings.postgresql", (server) =>
  bindingsConformance({
    manifest: postgresqlBindingsManifest,
    deps: postgresDeps,
    metadata: { connectionString: server.url },
  }),
);
