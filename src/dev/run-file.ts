import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { errorMessage } from "../kit/error-message.ts";
import { ResourceError } from "../resources/error.ts";
import type { Report, YamlNode } from "../resources/yaml-node.ts";
import { parseYaml } from "../resources/yaml.ts";
import { nulProblems, runFileProblems } from "./run-file-check.ts";
import { runFileShape, type AppSettings, type SharedSettings, type Written } from "./run-file-shape.ts";
import { PlanError, problemLine, RunFileError } from "./run-plan-error.ts";

/** Bytes of one run file. */
export const RUN_FILE_BYTES_MAX = 1024 * 1024;

/** A file with more oddities than this is no run file; the rest is not shown. */
const WARNINGS_MAX = 50;

/** Names that a folder's run file may have, the surest first; the Dapr CLI knows the first only. */
const RUN_FILE_NAMES = ["dapr.yaml", "dapr.yml"] as const;

const STDIN_NAME = "standard input";

/** The run file's dialect: the Dapr CLI reads it with go-yaml 2, which keeps the text of values as go-yaml 3 does. */
const DIALECT = "go-yaml-3";

/** Where a run file comes from. */
export interface RunFileSource {
  /** A file, a folder that holds `dapr.yaml`, or `-` for standard input. */
  readonly path: string;
  /** What a relative path, and everything in a file from standard input, is relative to; absolute. */
  readonly cwd: string;
  /** Read for the path `-` only. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
}

/** A run file that has been read and checked in everything but what it says about the file system. */
export interface RunFile {
  /** Absolute; undefined for standard input. */
  readonly path: string | undefined;
  /** How messages call it. */
  readonly label: string;
  /** What relative paths of `common`, and `appDirPath`, are relative to; absolute. */
  readonly directory: string;
  /** Empty: none was written. */
  readonly name: string;
  /** Undefined: not written. */
  readonly common: SharedSettings | undefined;
  readonly apps: readonly Written<AppSettings>[];
  /** What was odd but not wrong, such as unknown keys: lines with their place. */
  readonly warnings: readonly string[];
}

/**
 * Reads a multi-app run file (compatibility.md 6.3).
 * @throws RunFileError for what it says, PlanError when there is none to read
 */
export async function readRunFile(source: RunFileSource): Promise<RunFile> {
  if (source.path === "-") {
    const text = await readStream(source.stdin ?? NO_INPUT);
    return parseRunFile(text, { path: undefined, label: STDIN_NAME, directory: source.cwd });
  }
  const path = await locate(resolve(source.cwd, source.path));
  return parseRunFile(await readWhole(path), { path, label: path, directory: dirname(path) });
}

/**
 * The run file of a folder, if it has one.
 * @throws PlanError when the folder cannot be looked into
 */
export async function findRunFile(folder: string): Promise<string | undefined> {
  for (const name of RUN_FILE_NAMES) {
    const path = join(folder, name);
    if ((await statOf(path))?.isFile() === true) {
      return path;
    }
  }
  return undefined;
}

/**
 * Reads the text of a run file; only its first document counts.
 * @throws RunFileError, with a place for every problem
 */
export function parseRunFile(text: string, origin: Pick<RunFile, "path" | "label" | "directory">): RunFile {
  const warnings: string[] = [];
  const report: Report = (place, message) => {
    if (warnings.length < WARNINGS_MAX) {
      warnings.push(problemLine({ place, text: message }));
    }
  };
  const start = { file: origin.label, line: 1, column: 1 };
  const nothing: YamlNode = { kind: "map", entries: new Map(), place: start };
  const [node, written] = asRunFileErrors(() => {
    const document = parseYaml(text, { file: origin.label, firstLine: 1, dialect: DIALECT, report }) ?? nothing;
    return [document, runFileShape(document, { dialect: DIALECT, report }, "")] as const;
  });
  const problems = [...nulProblems(node), ...runFileProblems(written, start)];
  if (problems.length > 0) {
    throw new RunFileError(problems);
  }
  if (written.version !== undefined && written.version.value !== 1) {
    report(written.version.place, `version ${written.version.value} is read as version 1, the only one there is`);
  }
  return { ...origin, name: written.name?.value ?? "", common: written.common, apps: written.apps ?? [], warnings };
}

function asRunFileErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ResourceError) {
      const { file, line, column, detail } = error;
      throw new RunFileError([{ place: { file, line, column }, text: detail }], { cause: error });
    }
    throw error;
  }
}

async function locate(path: string): Promise<string> {
  const found = await statOf(path);
  if (found === undefined) {
    throw new PlanError(`the run file ${path} does not exist`);
  }
  if (found.isDirectory()) {
    const inside = await findRunFile(path);
    if (inside === undefined) {
      throw new PlanError(`the folder ${path} has no run file: ${RUN_FILE_NAMES.join(" or ")}`);
    }
    return inside;
  }
  const extension = extname(path);
  if (extension !== ".yaml" && extension !== ".yml") {
    throw new PlanError(`file ${JSON.stringify(path)} is not a YAML file: its name must end in .yaml or .yml`);
  }
  return path;
}

async function readWhole(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    return size > RUN_FILE_BYTES_MAX ? refuseSize(path) : await readFile(path, "utf8");
  } catch (cause) {
    throw cause instanceof PlanError
      ? cause
      : new PlanError(`the run file ${path} cannot be read: ${errorMessage(cause)}`, { cause });
  }
}

const NO_INPUT: AsyncIterable<Uint8Array | string> = {
  async *[Symbol.asyncIterator]() {},
};

async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const part = Buffer.from(chunk as Uint8Array);
      bytes += part.length;
      if (bytes > RUN_FILE_BYTES_MAX) {
        refuseSize(STDIN_NAME);
      }
      chunks.push(part);
    }
  } catch (cause) {
    throw cause instanceof PlanError
      ? cause
      : new PlanError(`the run file cannot be read from ${STDIN_NAME}: ${errorMessage(cause)}`, { cause });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refuseSize(label: string): never {
  throw new PlanError(`${label} has more bytes than a run file may have (${RUN_FILE_BYTES_MAX})`);
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return undefined;
    }
    throw new PlanError(`${path} cannot be looked at: ${errorMessage(cause)}`, { cause });
  }
}
