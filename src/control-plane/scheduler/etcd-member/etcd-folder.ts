import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DATABASE_FILE } from "../store/sqlite-schema.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Without this file Dapr's own scheduler empties the folder when it starts on it. */
const DAPR_MARKER = "dapr-scheduler-existing-cluster";
const UID_FILE = "outrigger-member";

/** What Dapr's scheduler has in `--etcd-data-dir` outside Kubernetes, and what is ours beside it. */
export interface EtcdFolder {
  /** etcd's own folder. */
  readonly data: string;
  readonly log: string;
  /** Says which process the member is. */
  readonly pid: string;
}

export function etcdFolder(dataDir: string, namespace: string, id: string): EtcdFolder {
  return {
    data: join(dataDir, `${namespace}-${id}`, "dapr-0.1"),
    log: join(dataDir, "etcd.log"),
    pid: join(dataDir, "etcd.pid"),
  };
}

/** Whether an etcd has run in the folder. */
export function holdsEtcd({ data }: EtcdFolder): boolean {
  return existsSync(join(data, "member"));
}

/** @throws Error where a single scheduler keeps its jobs, which several would not see */
export function makeEtcdFolder(dataDir: string, folder: EtcdFolder): void {
  const database = join(dataDir, DATABASE_FILE);
  if (existsSync(database)) {
    throw new Error(
      `the folder ${dataDir} holds the jobs of a scheduler that ran alone (${database}), and several keep theirs in an etcd. ` +
        "Nothing has been changed: start it alone again, export them with `dapr scheduler export`, give the members an " +
        "--etcd-data-dir each that is empty, and import them with `dapr scheduler import`",
    );
  }
  mkdirSync(folder.data, { recursive: true, mode: FOLDER_MODE });
  writeFileSync(join(dataDir, DAPR_MARKER), "", { flag: "a", mode: FILE_MODE });
}

/** What the process before this one called itself in its leadership key. */
export function readFormerUid(dataDir: string): bigint | undefined {
  try {
    return BigInt(readFileSync(join(dataDir, UID_FILE), "utf8").trim());
  } catch {
    return undefined;
  }
}

export function writeUid(dataDir: string, uid: bigint): void {
  writeFileSync(join(dataDir, UID_FILE), `${uid}\n`, { mode: FILE_MODE });
}
