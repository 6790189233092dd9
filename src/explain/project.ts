import type { Logger } from "../kit/logger.ts";
import type { ResiliencyResource } from "../resources/resiliency.ts";
import { type Configuration, loadConfiguration } from "../resources/configuration.ts";
import { loadResources } from "../resources/sources/files.ts";
import type { LoadedResources } from "../resources/types.ts";
import { type PolicyTable, readPolicies } from "../resiliency/policy-table.ts";
import { ValuePlaces } from "./value-places.ts";

export interface ProjectOptions {
  readonly appId: string;
  /** Empty: namespaces are ignored, as by the sidecar. */
  readonly namespace: string;
  readonly resourcesPaths: readonly string[];
  readonly configPaths: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Paths are told as seen from here. */
  readonly directory: string;
  /** Told what the sidecar would log while it reads. */
  readonly logger: Logger;
}

/** What a sidecar of this app would read, with the places it was written at. */
export interface Project {
  readonly appId: string;
  readonly namespace: string;
  readonly configuration: Configuration;
  readonly resources: LoadedResources;
  readonly policies: PolicyTable;
  /** Those that count, in the order in which they are read: of two policies of one name the later one is used. */
  readonly resiliencies: readonly ResiliencyResource[];
  readonly places: ValuePlaces;
}

/** @throws Error as the sidecar's start would */
export async function readProject(options: ProjectOptions): Promise<Project> {
  const { appId, namespace, resourcesPaths, configPaths, environment, directory, logger } = options;
  const configuration = await loadConfiguration(configPaths, environment);
  const resources = await loadResources({ paths: resourcesPaths, namespace, appId, logger });
  const { resiliencies } = resources;
  const policies = await readPolicies(resiliencies, logger, undefined);
  return { appId, namespace, configuration, resources, policies, resiliencies, places: new ValuePlaces(directory) };
}
