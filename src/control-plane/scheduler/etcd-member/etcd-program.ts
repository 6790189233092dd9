import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { promisify } from "node:util";

/** Where an etcd is looked for when nobody says: packages' and hand installations' places, never what PATH says. */
const PLACES = [
  "/usr/bin/etcd",
  "/usr/local/bin/etcd",
  "/usr/sbin/etcd",
  "/opt/etcd/etcd",
  "/opt/bin/etcd",
  "/opt/homebrew/bin/etcd",
] as const;

const VERSION_WAIT_MS = 10_000;
/** Best from 3.5 on; 3.4 where there is no other. */
const MINOR_GOOD = 5;
const MINOR_MIN = 4;

const run = promisify(execFile);

/** An installed etcd. */
export interface EtcdProgram {
  readonly path: string;
  /** Of version 3. */
  readonly minor: number;
}

/**
 * The etcd to run members with.
 * @param asked an absolute path, instead of the usual places
 * @throws Error that says how to get one
 */
export async function findEtcd(asked: string | undefined, places: readonly string[] = PLACES): Promise<EtcdProgram> {
  if (asked !== undefined) {
    return await readVersion(asked);
  }
  const found: EtcdProgram[] = [];
  const refused: string[] = [];
  for (const path of places) {
    if (await isExecutable(path)) {
      try {
        found.push(await readVersion(path));
      } catch (error) {
        refused.push(String((error as Error).message));
      }
    }
  }
  const best = found.find(({ minor }) => minor >= MINOR_GOOD) ?? found[0];
  if (best === undefined) {
    throw new Error(
      `several schedulers share their jobs in an etcd, and there is none in ${places.join(", ")}${refused.map((reason) => `; ${reason}`).join("")}: ` +
        "install etcd 3.5 or newer (a package etcd-server or etcd, or a release of github.com/etcd-io/etcd), " +
        "say where it is with --etcd-binary=/path/to/etcd, or use a running one with --etcd-embed=false --etcd-client-endpoints=host:2379",
    );
  }
  return best;
}

/** @throws Error for what is no etcd, or too old */
async function readVersion(path: string): Promise<EtcdProgram> {
  let output: string;
  try {
    output = (await run(path, ["--version"], { cwd: "/", env: {}, timeout: VERSION_WAIT_MS })).stdout;
  } catch (cause) {
    throw new Error(`${path} cannot be run as etcd: ${(cause as Error).message.split("\n", 1)[0]}`, { cause });
  }
  const [, version = "", major, minor] = /etcd Version: (([0-9]+)\.([0-9]+)\S*)/.exec(output) ?? [];
  if (version === "") {
    throw new Error(`${path} is no etcd: it does not say its version`);
  }
  if (major !== "3" || Number(minor) < MINOR_MIN) {
    throw new Error(`${path} is etcd ${version}, and 3.5 or newer is needed (3.4 is accepted)`);
  }
  return { path, minor: Number(minor) };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
