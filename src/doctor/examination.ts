import { type Project, readProject } from "../explain/project.ts";
import { ValuePlaces, type ValuePath } from "../explain/value-places.ts";
import { Registry } from "../inventory/registry.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import type { AnyResource } from "../resources/read-resource.ts";
import type { ResourceError } from "../resources/error.ts";
import type { Origin } from "../resources/resource.ts";
import { readResourceFiles } from "../resources/sources/files.ts";
import type { Place } from "../resources/yaml-node.ts";
import { COMPONENT_MANIFESTS } from "../sidecar/families.ts";
import type { BackEnd } from "./back-ends.ts";
import { type ProgramRelease, releasesOf } from "./releases.ts";
import type { PlannedApp, SetUp } from "./set-up.ts";
import type { DoctorWorld } from "./world.ts";

/** A planned app with what it would read; `project` is undefined where it cannot be read at all. */
export interface ExaminedApp extends PlannedApp {
  readonly project: Project | undefined;
  /** Why there is no project. */
  readonly fault: string;
  /** What its sidecar would warn about while it reads policies. */
  readonly warnings: readonly string[];
}

/** A remark of the reader of YAML: unknown fields, unknown kinds. */
export interface Remark {
  readonly place: Place;
  readonly message: string;
}

/** Everything that checks share: the set-up, what its files say, and the world around it. */
export interface Examination {
  readonly setUp: SetUp;
  readonly world: DoctorWorld;
  readonly apps: readonly ExaminedApp[];
  /** Of all folders of all apps, each file once, whatever its scopes. */
  readonly resources: readonly AnyResource[];
  readonly problems: readonly ResourceError[];
  readonly remarks: readonly Remark[];
  readonly registry: Registry;
  /** Why nobody can be reached there; undefined: somebody listens. Each address is tried once. */
  addressFault(backEnd: BackEnd): Promise<string | undefined>;
  /** Of sidecars and services; they are asked once. */
  releases(): Promise<readonly ProgramRelease[]>;
  /** `file:line` of a value. */
  at(origin: Origin, path?: ValuePath): Promise<string>;
}

/** Reads all that is written down. What cannot be read is for the checks to tell. */
export async function examine(setUp: SetUp, world: DoctorWorld): Promise<Examination> {
  const places = new ValuePlaces(setUp.directory);
  const folders = [...new Set(setUp.apps.flatMap(({ options }) => options.resourcesPaths))];
  const remarks: Remark[] = [];
  const resources: AnyResource[] = [];
  const problems: ResourceError[] = [];
  for (const folder of folders) {
    try {
      const read = await readResourceFiles([folder], silentLogger, (place, message) =>
        remarks.push({ place, message }),
      );
      resources.push(...read.found);
      problems.push(...read.problems);
    } catch {
      // The apps that want the folder cannot be read either, and say why.
    }
  }
  const apps: ExaminedApp[] = [];
  for (const app of setUp.apps) apps.push(await examineApp(app, setUp.directory));
  const faults = new Map<string, Promise<string | undefined>>();
  const faultOf = async ({ host, port }: BackEnd): Promise<string | undefined> =>
    (await world.lookupFault(host)) ?? (await world.connectFault(host, port));
  let releases: Promise<readonly ProgramRelease[]> | undefined;
  return {
    setUp,
    world,
    apps,
    resources,
    problems,
    remarks,
    registry: new Registry(COMPONENT_MANIFESTS),
    addressFault(backEnd) {
      const address = `${backEnd.host}:${backEnd.port}`;
      const known = faults.get(address) ?? faultOf(backEnd);
      faults.set(address, known);
      return known;
    },
    releases: () => (releases ??= releasesOf(setUp, apps, world)),
    at: (origin, path) => places.of(origin, path),
  };
}

async function examineApp(app: PlannedApp, directory: string): Promise<ExaminedApp> {
  const warnings: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message) => void warnings.push(message),
    error: (message) => void warnings.push(message),
    scope: () => logger,
  };
  const { appId, namespace, resourcesPaths, configPaths } = app.options;
  try {
    const project = await readProject({
      appId,
      namespace,
      resourcesPaths,
      configPaths,
      environment: app.environment,
      directory,
      logger,
    });
    return { ...app, project, fault: "", warnings };
  } catch (error) {
    return { ...app, project: undefined, fault: errorMessage(error), warnings };
  }
}
