import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NAME = "session.json";
const FILE_BYTES_MAX = 1024 * 1024;
const FILE_MODE = 0o600;

/** One app as it runs now. */
export interface SessionApp {
  readonly appId: string;
  /** Undefined while the app does not run, and for a sidecar without an app. */
  readonly appPid: number | undefined;
  /** The process of the sidecar: that of the session unless it has one of its own. */
  readonly sidecarPid: number | undefined;
  readonly appPort: number | undefined;
  readonly httpPort: number | undefined;
  readonly grpcPort: number | undefined;
}

/** What a running `outrigger dev` tells other programs about itself. */
export interface SessionFile {
  /** The process of the session. */
  readonly pid: number;
  readonly apps: readonly SessionApp[];
}

/** Replaces `<folder>/session.json` in one step: a reader sees the old file or the new one. The folder is made if need be. */
export function writeSessionFile(folder: string, session: SessionFile): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, NAME);
  const next = `${path}.${session.pid}.tmp`;
  writeFileSync(next, `${JSON.stringify(session, undefined, 2)}\n`, { mode: FILE_MODE });
  renameSync(next, path);
}

/** Undefined when there is none, or what is there is none. Its process may be long gone. */
export function readSessionFile(folder: string): SessionFile | undefined {
  const path = join(folder, NAME);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || found.size > FILE_BYTES_MAX) {
    return undefined;
  }
  try {
    return sessionOf(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** For the end of a session. */
export function removeSessionFile(folder: string): void {
  rmSync(join(folder, NAME), { force: true });
}

type Loose = Readonly<Record<string, unknown>>;

function sessionOf(value: unknown): SessionFile | undefined {
  const { pid, apps } = (value ?? {}) as Loose;
  if (!isNumber(pid) || !Array.isArray(apps)) {
    return undefined;
  }
  const known = apps.map(appOf);
  return known.every((app) => app !== undefined) ? { pid, apps: known } : undefined;
}

function appOf(value: unknown): SessionApp | undefined {
  const { appId, appPid, sidecarPid, appPort, httpPort, grpcPort } = (value ?? {}) as Loose;
  if (typeof appId !== "string") {
    return undefined;
  }
  return {
    appId,
    appPid: numberOr(appPid),
    sidecarPid: numberOr(sidecarPid),
    appPort: numberOr(appPort),
    httpPort: numberOr(httpPort),
    grpcPort: numberOr(grpcPort),
  };
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function numberOr(value: unknown): number | undefined {
  return isNumber(value) ? value : undefined;
}
