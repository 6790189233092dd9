import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { loadResources, RESOURCE_FILE_BYTES_MAX } from "./files.ts";

const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  enabled: () => false,
  scope: () => silent,
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

const load = () => loadResources({ paths: [folder], namespace: "", appId: "app", logger: silent });

it("gives nothing for an empty folder, and for no folder at all", async () => {
  const nothing = {
    components: [],
    subscriptions: [],
    httpEndpoints: [],
    resiliencies: [],
    configurations: [],
    problems: [],
  };
  expect(await load()).toEqual(nothing);
  expect(await loadResources({ paths: [], namespace: "", appId: "app", logger: silent })).toEqual(nothing);
});

it("leaves out a file that is too large and says how large one may be", async () => {
  await writeFile(join(folder, "large.yaml"), "#".repeat(RESOURCE_FILE_BYTES_MAX + 1));
  const { problems } = await load();
  expect(problems.map(({ message }) => message)).toEqual([
    `${join(folder, "large.yaml")} has ${RESOURCE_FILE_BYTES_MAX + 1} bytes, more than a resource file may have (${RESOURCE_FILE_BYTES_MAX})`,
  ]);
});

it("leaves out a link to nowhere, as a file that is gone again", async () => {
  await symlink(join(folder, "nowhere"), join(folder, "link.yaml"));
  const { problems } = await load();
  expect(problems.map(({ message }) => message)).toEqual([
    `open ${join(folder, "link.yaml")}: no such file or directory`,
  ]);
});
