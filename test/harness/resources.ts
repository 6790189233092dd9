import { randomUUID } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A state store named `store` and a broker named `broker`, both in memory. */
export const IN_MEMORY = [component("store", "state.in-memory"), component("broker", "pubsub.in-memory")].join("---\n");

/** A Component resource; metadata values are written as YAML strings. */
export function component(name: string, type: string, metadata: Readonly<Record<string, string>> = {}): string {
  const fields = Object.entries(metadata).map(
    ([field, value]) => `\n    - { name: ${field}, value: ${JSON.stringify(value)} }`,
  );
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
  metadata:${fields.length === 0 ? " []" : fields.join("")}
`;
}

/** A Configuration whose `spec` is the given YAML, indented by two spaces. */
export function configuration(spec: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: config
spec:
${spec}`;
}

/** A folder of its own that goes away with its test. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
  /** Whoever follows the folder sees the file as it was before or whole, never half of it. @returns the file's path */
  write(name: string, text: string): Promise<string>;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "t-"));
  return {
    path,
    async write(name, text) {
      const [file, next] = [join(path, name), `${path}-${randomUUID()}`];
      await writeFile(next, text);
      await rename(next, file);
      return file;
    },
    // A program that is just ending may still write a file beside those that are being removed.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  };
}
