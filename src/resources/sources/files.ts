import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Logger } from "../../kit/logger.ts";
import type { ComponentResource } from "../component.ts";
import type { ConfigurationDocument } from "../configuration-document.ts";
import { DuplicateResourceError, ResourceError } from "../error.ts";
import type { HttpEndpointResource } from "../http-endpoint.ts";
import { readResource, type AnyResource } from "../read-resource.ts";
import type { ResiliencyResource } from "../resiliency.ts";
import type { Resource } from "../resource.ts";
import { splitDocuments, type DocumentText } from "../split-documents.ts";
import type { SubscriptionResource } from "../subscription.ts";
import type { LoadedResources } from "../types.ts";
import type { Report } from "../yaml-node.ts";

/** Bytes of one resource file. */
export const RESOURCE_FILE_BYTES_MAX = 4 * 1024 * 1024;

export interface FilesOptions {
  /** Folders, scanned without their subfolders. */
  readonly paths: readonly string[];
  /** The sidecar's own namespace; empty: namespaces of resources are ignored. */
  readonly namespace: string;
  readonly appId: string;
  readonly logger: Logger;
}

/**
 * Reads every `.yaml` and `.yml` file of the folders, in Dapr's order, and keeps what is for this app. A document that
 * cannot be read is logged and left out, as Dapr does it; the rest counts.
 * @throws DuplicateResourceError when two components of one namespace share a name
 * @throws ResourceError when a folder cannot be read
 */
export async function loadResources(options: FilesOptions): Promise<LoadedResources> {
  const logger = options.logger.scope("dapr.runtime.loader.disk");
  const report: Report = (place, message) => logger.warn(`${place.file}:${place.line}:${place.column}: ${message}`);
  const { found, problems } = await readResourceFiles(options.paths, logger, report);
  const components = ofKind<ComponentResource>(found, "Component");
  const endpoints = ofKind<HttpEndpointResource>(found, "HTTPEndpoint");
  return {
    components: uniqueInScope("Component", components, options),
    subscriptions: inScope(ofKind<SubscriptionResource>(found, "Subscription"), options.appId),
    httpEndpoints: endpointsInScope(endpoints, options),
    resiliencies: inScope(ofKind<ResiliencyResource>(found, "Resiliency"), options.appId),
    configurations: inScope(ofKind<ConfigurationDocument>(found, "Configuration"), options.appId),
    problems,
  };
}

/** What the files of some folders hold, for whatever app, and what of it cannot be read. */
export interface ReadFiles {
  readonly found: readonly AnyResource[];
  readonly problems: readonly ResourceError[];
}

/**
 * Reads every `.yaml` and `.yml` file of the folders, in Dapr's order.
 * @param report told what is odd but not wrong
 * @throws ResourceError when a folder cannot be read
 */
export async function readResourceFiles(
  folders: readonly string[],
  logger: Logger,
  report: Report,
): Promise<ReadFiles> {
  const found: AnyResource[] = [];
  const problems: ResourceError[] = [];
  for (const folder of folders) {
    for (const file of await yamlFiles(folder, logger)) {
      await loadFile(file, { found, problems }, logger, report);
    }
  }
  return { found, problems };
}

/** Files of a folder sorted by the bytes of their names, as Go's os.ReadDir sorts. */
async function yamlFiles(folder: string, logger: Logger): Promise<readonly string[]> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw new ResourceError({ file: folder, line: 0, column: 0 }, `open ${folder}: ${systemErrorText(cause)}`, {
      cause,
    });
  }
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return names.filter((name) => isYamlFile(name, logger)).map((name) => join(folder, name));
}

function isYamlFile(name: string, logger: Logger): boolean {
  // Go takes `.yaml` alone as an extension, Node does not.
  const extension = extname(`_${name}`).toLowerCase();
  const isYaml = extension === ".yaml" || extension === ".yml";
  if (!isYaml) {
    logger.warn(`A non-YAML Component file ${name} was detected, it will not be loaded`);
  }
  return isYaml;
}

async function loadFile(
  file: string,
  { found, problems }: { readonly found: AnyResource[]; readonly problems: ResourceError[] },
  logger: Logger,
  report: Report,
): Promise<void> {
  let content: string;
  try {
    content = await readText(file);
  } catch (cause) {
    const problem =
      cause instanceof ResourceError
        ? cause
        : new ResourceError({ file, line: 0, column: 0 }, `open ${file}: ${systemErrorText(cause)}`, { cause });
    logger.warn(`daprd load Component error when opening file ${file}: ${problem.message}`);
    problems.push(problem);
    return;
  }
  for (const document of splitDocuments(content)) {
    try {
      const resource = await loadDocument(document, file, report);
      if (resource !== undefined) {
        found.push(resource);
      }
    } catch (error) {
      if (!(error instanceof ResourceError)) {
        throw error;
      }
      logger.warn(`daprd load Component error when parsing manifests yaml resource in ${file}: ${error.message}`);
      problems.push(error);
    }
  }
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > RESOURCE_FILE_BYTES_MAX) {
    throw new ResourceError(
      { file, line: 0, column: 0 },
      `${file} has ${size} bytes, more than a resource file may have (${RESOURCE_FILE_BYTES_MAX})`,
    );
  }
  return readFile(file, "utf8");
}

/** The parser is loaded with the first document that is there. */
async function loadDocument(document: DocumentText, file: string, report: Report): Promise<AnyResource | undefined> {
  if (document.text.trim() === "") {
    return undefined;
  }
  const { parseYaml } = await import("../yaml.ts");
  const node = parseYaml(document.text, { file, firstLine: document.firstLine, dialect: "kubernetes", report });
  if (node === undefined) {
    return undefined;
  }
  const read = readResource(node, { dialect: "kubernetes", report });
  return "resource" in read ? read : undefined;
}

function ofKind<R extends Resource>(found: readonly AnyResource[], kind: AnyResource["kind"]): readonly R[] {
  return found.filter((each) => each.kind === kind).map((each) => each.resource as Resource as R);
}

function inScope<R extends Resource>(resources: readonly R[], appId: string): readonly R[] {
  return resources.filter((resource) => resource.scopes.length === 0 || resource.scopes.includes(appId));
}

/** Duplicates are looked for before scopes, among what an earlier resource in scope has taken: Dapr's order. */
function uniqueInScope<R extends Resource & { readonly logName: string }>(
  kind: string,
  resources: readonly R[],
  options: FilesOptions,
): readonly R[] {
  const taken = new Map<string, R>();
  const duplicates: string[] = [];
  for (const resource of resources) {
    if (options.namespace !== "" && resource.namespace !== "" && resource.namespace !== options.namespace) {
      continue;
    }
    const existing = taken.get(resource.name);
    if (existing !== undefined) {
      duplicates.push(`duplicate definition of ${kind} name ${resource.logName} with existing ${existing.logName}`);
    } else if (resource.scopes.length === 0 || resource.scopes.includes(options.appId)) {
      taken.set(resource.name, resource);
    }
  }
  if (duplicates.length > 0) {
    throw new DuplicateResourceError(duplicates.join("\n"));
  }
  return [...taken.values()];
}

/** Dapr runs on without endpoints when they clash. */
function endpointsInScope(
  endpoints: readonly HttpEndpointResource[],
  options: FilesOptions,
): readonly HttpEndpointResource[] {
  try {
    return uniqueInScope("HTTPEndpoint", endpoints, options);
  } catch (error) {
    if (!(error instanceof DuplicateResourceError)) {
      throw error;
    }
    options.logger.scope("dapr.runtime").warn(`failed to load HTTP endpoints: ${error.message}`);
    return [];
  }
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
};

/** What Go says about a failed system call. */
function systemErrorText(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  return (typeof code === "string" ? SYSTEM_ERRORS[code] : undefined) ?? String(error);
}
