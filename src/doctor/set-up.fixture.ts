import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "../kit/random.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { defaultOptions } from "../sidecar/default-options.ts";
import type { SidecarOptions } from "../sidecar/options.ts";
import { diagnose } from "./doctor.ts";
import type { CheckedFinding } from "./finding.ts";
import type { SetUp } from "./set-up.ts";
import type { DoctorWorld } from "./world.ts";

/** What a test says about a set-up; all else is well. */
export interface Case {
  /** Resources by their file's name. */
  readonly files?: Readonly<Record<string, string>>;
  /** `spec` of the Configuration of all apps, as YAML. */
  readonly configuration?: string;
  /** By app id; without it there is one, `shop`. */
  readonly apps?: Readonly<Record<string, Partial<SidecarOptions>>>;
  readonly setUp?: Partial<SetUp>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly world?: Partial<DoctorWorld>;
}

/** A machine on which nothing is wrong: nobody listens yet, and everybody who is looked for is there. */
export const WELL: DoctorWorld = {
  environment: {},
  clock: new VirtualClock(),
  random: systemRandom,
  nodeVersion: "26.1.0",
  isPortFree: () => Promise.resolve(true),
  portOwner: () => Promise.resolve(undefined),
  connectFault: () => Promise.resolve(undefined),
  lookupFault: () => Promise.resolve(undefined),
  get: () => Promise.reject(new Error("nobody was expected to be asked")),
  grpcMessage: () => Promise.resolve("unknown method Doctor for service s"),
  serviceRelease: () => Promise.resolve(undefined),
  componentFaults: () => Promise.resolve(new Map()),
  hasNetwork: () => true,
  tlsView: () => Promise.resolve({ fault: "", validFromMs: 0, expiresMs: Number.MAX_SAFE_INTEGER }),
  folderFault: () => Promise.resolve(undefined),
  socketNames: () => Promise.resolve([]),
  freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
  openFilesMax: () => Promise.resolve(65_536),
};

/** All that the doctor finds. Files are in a folder of their own, as seen from which places are told. */
export async function findingsOf(given: Case): Promise<readonly CheckedFinding[]> {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    for (const [name, text] of Object.entries(given.files ?? {})) writeFileSync(join(folder, name), text);
    const configPaths = given.configuration === undefined ? [] : [writeConfiguration(folder, given.configuration)];
    const environment = given.environment ?? {};
    const setUp = setUpOf(given, folder, { resourcesPaths: [folder], configPaths });
    const results = await diagnose(setUp, { ...WELL, environment, ...given.world }, 1_000);
    return results.flatMap(({ findings }) => findings);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The set-up of a case in a folder. */
export function setUpOf(given: Case, directory: string, options: Partial<SidecarOptions> = {}): SetUp {
  const apps = Object.entries(given.apps ?? { shop: {} }).map(([appId, own]) => ({
    appId,
    options: { ...defaultOptions(appId), ...options, ...own },
    directory,
    environment: given.environment ?? {},
  }));
  return {
    apps,
    sidecars: [],
    isWhole: true,
    isUp: false,
    givenComponents: [],
    bringsControlPlane: false,
    directory,
    ...given.setUp,
  };
}

/** A component's document; `more` are lines at the level of `spec`, and above it with no indentation. */
export function component(
  name: string,
  type: string,
  fields: Readonly<Record<string, string>> = {},
  more = "",
): string {
  const metadata = Object.entries(fields).map(([field, value]) => `  - name: ${field}\n    ${value}\n`);
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
  metadata:${metadata.length === 0 ? " []" : ""}
${metadata.join("")}${more}
`;
}

function writeConfiguration(folder: string, spec: string): string {
  const path = join(folder, "configuration");
  writeFileSync(path, `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: c }\nspec:\n${spec}`);
  return path;
}
