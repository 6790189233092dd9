import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes the Configuration by which sidecars of several processes find each other: a table in a database file of theirs.
 * @returns its path; it belongs below all other Configurations, so that one of the user's that names a resolver wins
 */
export function writeNameRegistry(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, "name-resolution.yaml");
  const names = join(dataDir, "names.db");
  // Who was killed is still listed, at an address where nobody is any more.
  for (const end of ["", "-wal", "-shm"]) {
    rmSync(`${names}${end}`, { force: true });
  }
  const database = JSON.stringify(names.replaceAll("$", "$$"));
  writeFileSync(
    path,
    `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: outrigger-dev
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: ${database}
`,
  );
  return path;
}
