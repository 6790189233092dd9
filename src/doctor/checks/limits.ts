import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ComponentResource } from "../../resources/component.ts";
import type { ExaminedApp, Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

/** Every connection of an app, a peer or a back end is an open file. */
const OPEN_FILES_MIN = 4_096;
const MIB = 1024 * 1024;
const FREE_WARNING_BYTES = 512 * MIB;
const FREE_ERROR_BYTES = 16 * MIB;

/** What the machine allows. */
export async function checkLimits(examination: Examination): Promise<readonly Finding[]> {
  const { world, apps } = examination;
  const findings: Finding[] = [];
  const open = await world.openFilesMax();
  if (open !== undefined && open < OPEN_FILES_MIN) {
    findings.push({
      severity: "warning",
      what: `a process may have ${open} files open`,
      why: "every connection is one: under load new ones are refused",
      fix: `raise it to ${OPEN_FILES_MIN} or more: ulimit -n, or LimitNOFILE= of the systemd unit`,
    });
  }
  const folders = new Map<string, { component: ComponentResource; app: ExaminedApp }>();
  for (const app of apps) {
    for (const component of app.project?.resources.components ?? []) {
      const folder = databaseFolder(component, app);
      if (folder !== undefined && !folders.has(folder)) folders.set(folder, { component, app });
    }
  }
  for (const [folder, { component }] of folders)
    findings.push(...(await folderFindings(folder, component, examination)));
  return findings;
}

async function folderFindings(
  folder: string,
  component: ComponentResource,
  { world, at }: Examination,
): Promise<readonly Finding[]> {
  const where = await at(component.origin, ["spec", "metadata"]);
  const fault = await world.folderFault(folder);
  if (fault !== undefined) {
    return [
      {
        severity: "error",
        what: `the folder ${folder} of component ${component.name} is ${fault}`,
        where,
        why: "the database file cannot be made there: its sidecar ends at its start",
        fix:
          fault === "missing"
            ? "make the folder, or correct the path"
            : "give the user of the sidecar the right to write there",
      },
    ];
  }
  const free = await world.freeBytes(folder);
  return free >= FREE_WARNING_BYTES
    ? []
    : [
        {
          severity: free < FREE_ERROR_BYTES ? "error" : "warning",
          what: `there are ${Math.floor(free / MIB)} MiB left for component ${component.name} in ${folder}`,
          where,
          why: "a write that does not fit is refused, and what depends on it fails",
          fix: "make room, or move the file",
        },
      ];
}

/** Undefined for what is no SQLite file, is in memory, or has its path from a secret. */
function databaseFolder(
  { type, metadata }: ComponentResource,
  { directory, environment }: ExaminedApp,
): string | undefined {
  if (!/\.sqlite3?$/.test(type)) {
    return undefined;
  }
  const field = metadata.find(({ name }) => /^(?:connectionString|url)$/i.test(name));
  const text = field?.secretKeyRef === undefined ? (field?.value ?? environment[field?.envRef ?? ""] ?? "") : "";
  const [path = ""] = text.split("?", 1);
  if (path === "" || path.includes(":memory:") || text.includes("mode=memory")) {
    return undefined;
  }
  const isUrl = path.startsWith("file://");
  return dirname(isUrl ? fileURLToPath(path) : resolve(directory, path.replace(/^file:/, "")));
}
