import { lstat, mkdir, open, readdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { BindingRequest, BindingResponse, OutputBinding } from "../spi/bindings.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { localStorageFields } from "./manifest.ts";
import { plainData } from "./plain-data.ts";
import { resolveRootPath } from "./root-path.ts";
import { secureJoin } from "./secure-join.ts";

/** Bytes of a file that `get` reads, and paths that `list` gives; more is an error. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;
const LISTED_FILES_MAX = 1_000_000;

export function createLocalStorageBinding(deps: ComponentDeps): OutputBinding {
  return new LocalStorageBinding(deps);
}

class LocalStorageBinding implements OutputBinding {
  readonly operations = ["create", "get", "list", "delete"];
  readonly #deps: ComponentDeps;
  #root: string | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name: component, logger } = this.#deps;
    const { rootPath } = decodeMetadata(localStorageFields, metadata, { component, logger });
    const root = await resolveRootPath(resolve(this.#deps.directory ?? "", rootPath));
    await attempt(`unable to create directory specified by 'rootPath' ${root}`, mkdir(root, { recursive: true }));
    this.#root = root;
  }

  async invoke(request: BindingRequest): Promise<BindingResponse> {
    const root = this.#root;
    if (root === undefined) {
      throw new ComponentError("unavailable", "binding is closed");
    }
    const given = request.metadata["fileName"] ?? "";
    const name = given === "" && request.operation === "create" ? this.#deps.random.uuid() : given;
    const path = await attempt(`error getting absolute path for file ${name}`, secureJoin(root, name));
    switch (request.operation) {
      case "create":
        return answer(JSON.stringify({ fileName: await create(root, path, plainData(request.data)) }));
      case "get":
        return { data: await get(path), metadata: {}, contentType: undefined };
      case "list":
        return answer(JSON.stringify(await list(path)));
      case "delete":
        await attempt(`error deleting file ${path}`, remove(root, path));
        return { data: undefined, metadata: {}, contentType: undefined };
      default:
        throw new ComponentError("unsupported", `unsupported operation ${request.operation}`);
    }
  }

  async close(): Promise<void> {
    this.#root = undefined;
  }
}

/** @returns the path below the root */
async function create(root: string, path: string, data: Uint8Array): Promise<string> {
  const folder = dirname(path);
  await attempt(`error creating directory ${folder}`, mkdir(folder, { recursive: true }));
  await attempt(`error creating file ${path}`, writeFile(path, data));
  return relative(root, path) || ".";
}

async function get(path: string): Promise<Uint8Array> {
  let file;
  try {
    file = await open(path, "r");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new ComponentError(
      missing ? "notFound" : "unavailable",
      missing ? `file not found: ${path}` : `error opening path ${path}: ${textOf(cause)}`,
      { cause },
    );
  }
  try {
    const { size } = await file.stat();
    if (size > FILE_BYTES_MAX) {
      throw new ComponentError(
        "invalidRequest",
        `file ${path} has ${size} bytes, which is more than the limit of ${FILE_BYTES_MAX}`,
      );
    }
    return await attempt(`error reading file ${path}`, readFile(file));
  } finally {
    await file.close();
  }
}

/** Absolute paths of all files below a folder in Go's order: names sorted, folders entered where they stand. */
async function list(path: string): Promise<readonly string[] | null> {
  const found = await attempt(`error getting stats for path ${path}`, stat(path));
  if (!found.isDirectory()) {
    throw new ComponentError(
      "invalidRequest",
      `unable to list files as the file specified is not a directory: ${path}`,
    );
  }
  const files: string[] = [];
  await attempt(`error listing files in the directory ${path}`, walk(path, files));
  return files.length === 0 ? null : files;
}

async function walk(folder: string, files: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((one, two) => (one.name < two.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await walk(path, files);
    } else if (files.push(path) > LISTED_FILES_MAX) {
      throw new Error(`there are more than ${LISTED_FILES_MAX} files, which is the limit`);
    }
  }
}

/** The root itself stays, even when it is empty. */
async function remove(root: string, path: string): Promise<void> {
  if (path === root) {
    throw new Error("the root path cannot be deleted");
  }
  await ((await lstat(path)).isDirectory() ? rmdir(path) : rm(path));
}

async function attempt<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof ComponentError) {
      throw cause;
    }
    throw new ComponentError("unavailable", `${what}: ${textOf(cause)}`, { cause });
  }
}

function answer(json: string): BindingResponse {
  return { data: Buffer.from(json), metadata: {}, contentType: undefined };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
