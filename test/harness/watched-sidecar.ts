import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Folder, temporaryFolder } from "./resources.ts";
import { startTestSidecar, type TestSidecar, type TestSidecarOptions } from "./test-sidecar.ts";
import { until } from "./until.ts";

export interface ListedComponent {
  readonly name: string;
  readonly type: string;
  readonly condition: string;
  readonly rejectedChange?: { readonly reason: string; readonly since: string };
}

export interface ReloadReport {
  readonly components: readonly ListedComponent[];
  readonly reload?: { readonly rounds: number; readonly changes: number; readonly problems: readonly string[] };
}

/** A sidecar that follows the resources of its folder. */
export interface WatchedSidecar extends TestSidecar {
  readonly folder: Folder;
  remove(file: string): Promise<void>;
  report(): Promise<ReloadReport>;
  /** Waits until the sidecar has looked at its files again and the report is as wanted. */
  reported(what: string, wanted: (report: ReloadReport) => boolean): Promise<ReloadReport>;
  /** Names of components as `GET /v1.0/metadata` lists them, sorted. */
  components(): Promise<readonly string[]>;
  metadata(): Promise<Readonly<Record<string, unknown>>>;
}

const INTERVAL_MS = 60_000;

export async function startWatchedSidecar(
  files: Readonly<Record<string, string>>,
  options: TestSidecarOptions = {},
): Promise<WatchedSidecar> {
  const folder = await temporaryFolder();
  for (const [file, text] of Object.entries(files)) {
    await folder.write(file, text);
  }
  const one = await startTestSidecar({
    ...options,
    resourcesPaths: [folder.path],
    hotReload: { reconcileMs: INTERVAL_MS },
  });
  const metadata = async (): Promise<Readonly<Record<string, unknown>>> =>
    (await (await one.fetch("/v1.0/metadata")).json()) as Readonly<Record<string, unknown>>;
  const report = async (): Promise<ReloadReport> =>
    (await (await one.fetch("/outrigger/v1/components")).json()) as ReloadReport;
  const watched: WatchedSidecar = {
    ...one,
    folder,
    metadata,
    report,
    remove: (file) => rm(join(folder.path, file)),
    async components() {
      const { components = [] } = (await metadata()) as { components?: readonly { readonly name: string }[] };
      return components.map(({ name }) => name).sort();
    },
    reported: (what, wanted) =>
      eventually(what, async () => {
        const found = await report();
        return wanted(found) ? found : undefined;
      }),
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
  await watched.reported("the files have been looked at", ({ reload }) => (reload?.rounds ?? 0) > 0);
  return watched;
}

const PATIENCE_MS = 30_000;

/** As `until`, for what begins with a file that is noticed: on a busy machine that takes longer than one request. */
export function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  return until(what, condition, PATIENCE_MS);
}
