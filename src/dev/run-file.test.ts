import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseRunFile, readRunFile, RUN_FILE_BYTES_MAX } from "./run-file.ts";
import { RUN_FILE_APPS_MAX } from "./run-file-check.ts";
import { PlanError, RunFileError } from "./run-plan-error.ts";

const ORIGIN = { path: "/project/dapr.yaml", label: "dapr.yaml", directory: "/project" };
const parse = (text: string) => parseRunFile(text, ORIGIN);

/** The lines of the error that a file gives. */
function complaints(text: string): readonly string[] {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof RunFileError) {
      return error.message.split("\n");
    }
    throw error;
  }
  return [];
}

describe("parseRunFile", () => {
  it("reads a file as the Dapr CLI does", () => {
    const file = parse(`version: 1
name: shop
common:
  resourcesPath: ./resources
  env:
    DEBUG: false
    LEVEL: 007
    EMPTY:
apps:
  - appID: orders
    appDirPath: ./orders/
    appPort: 6001
    command: ["node", "index.js"]
    placementHostAddress: ""
  - appDirPath: ./stock/
    enableApiLogging: yes
`);
    expect(file).toMatchObject({ ...ORIGIN, name: "shop", warnings: [] });
    expect([...(file.common?.env ?? [])].map(([name, { value }]) => [name, value])).toEqual([
      ["DEBUG", "false"],
      ["LEVEL", "007"],
      ["EMPTY", ""],
    ]);
    const [orders, stock] = file.apps.map(({ value }) => value);
    expect(orders?.appPort).toEqual({ value: 6001, place: { file: "dapr.yaml", line: 12, column: 14 } });
    expect(orders?.command?.value).toEqual(["node", "index.js"]);
    expect(orders?.placementHostAddress?.value).toBe("");
    expect(stock?.enableApiLogging?.value).toBe(true);
  });

  it("reads the first document only, and resolves anchors", () => {
    const file = parse(
      "version: 1\ncommon: &c\n  logLevel: debug\napps:\n- appDirPath: a\n  <<: *c\n---\nversion: 2\napps: 7\n",
    );
    expect(file.apps[0]?.value.logLevel?.value).toBe("debug");
  });

  it("tells unknown keys, with the known one that was meant", () => {
    const file = parse(
      "version: 2\ncommons: {}\napps:\n  - appDirPath: a\n    appId: x\n    comand: [a]\n    zzzzzzz: 1\n",
    );
    expect(file.warnings).toEqual([
      'dapr.yaml:2:1: unknown field "commons" is ignored; did you mean "common"?',
      'dapr.yaml:5:5: unknown field "apps[0].appId" is ignored; did you mean "appID"?',
      'dapr.yaml:6:5: unknown field "apps[0].comand" is ignored; did you mean "command"?',
      'dapr.yaml:7:5: unknown field "apps[0].zzzzzzz" is ignored',
      "dapr.yaml:1:10: version 2 is read as version 1, the only one there is",
    ]);
  });

  it("tells only so many oddities", () => {
    const unknown = Array.from({ length: 80 }, (_, index) => `k${index}: 1\n`).join("");
    expect(parse(`version: 1\napps: [{appDirPath: a}]\n${unknown}`).warnings).toHaveLength(50);
  });

  it.each([
    ["", "1:1: required field 'version' not found: write version: 1"],
    ["~", "1:1: required field 'version' not found: write version: 1"],
    ["version: 0\napps: [{appDirPath: a}]", "1:10: required field 'version' not found: write version: 1"],
    ["version: 1", "1:1: there are no apps to run: list them under apps, each with its appDirPath"],
    ["version: 1\napps:\n  -\n", "3:4: required field 'appDirPath' not found: the app's folder"],
    ["- a", "1:1: the document must be a map of fields, not a list"],
    [
      "version: '1'\n",
      `1:10: version must be a whole number without quotes between -2147483648 and 2147483647, not "1"`,
    ],
    ["version: 1\napps: 7", "2:7: apps must be a list, not 7"],
    ["version: 1\nversion: 1", 'mapping key "version" already defined at line 1'],
    ["version: [", "Flow sequence in block collection"],
  ])("refuses %j", (text, complaint) => {
    const first = complaints(text)[0];
    expect(first).toMatch(/^dapr\.yaml:\d+:\d+: /);
    expect(first).toContain(complaint);
  });

  it.each([
    ["appID: a.b", '"a.b" cannot be an app id: dots, slashes and spaces are not allowed'],
    ["appID: ../a", '"../a" cannot be an app id: dots, slashes and spaces are not allowed'],
    ["appPort: 65536", "appPort must be at most 65535, not 65536"],
    ["appProtocol: htp", 'appProtocol must be one of http, https, h2c, grpc, grpcs, not "htp"; did you mean http?'],
    [
      "appLogDestination: files",
      'appLogDestination must be one of console, file, fileAndConsole, not "files"; did you mean file?',
    ],
    [
      "daprdLogDestination: Console",
      'daprdLogDestination must be one of console, file, fileAndConsole, not "Console"; did you mean console?',
    ],
    ["logLevel: loud", 'logLevel must be debug, info, warn, error or fatal, not "loud"'],
    ["maxBodySize: 4MB", 'maxBodySize must be a size such as 4Mi, not "4MB"'],
    ["readBufferSize: x", 'readBufferSize must be a size such as 4Mi, not "x"'],
    ["env: {'A=B': c}", '"A=B" cannot be the name of a variable'],
    ['env: {A: "b\\0"}', "a text of a run file must not have a NUL in it"],
    ['command: [" "]', "command must begin with a program"],
    ['command: [a, "b\\0"]', "a text of a run file must not have a NUL in it"],
    ['"x\\0": 1', "a key of a run file must not have a NUL in it"],
    ['configFilePath: "\\0"', "a text of a run file must not have a NUL in it"],
    [
      "containerImagePullPolicy: Sometimes",
      'containerImagePullPolicy must be one of Always, Never, IfNotPresent, not "Sometimes"',
    ],
  ])("refuses the setting %s", (setting, complaint) => {
    const lines = complaints(`version: 1\napps:\n  - appDirPath: a\n    ${setting}\n`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^dapr\.yaml:4:\d+: /);
    expect(lines[0]?.endsWith(complaint)).toBe(true);
  });

  it("takes protocols in any case, and empty texts for nothing", () => {
    const app = "appDirPath: a, appProtocol: GRPC, maxBodySize: '', logLevel: '', appLogDestination: '', appID: ''";
    expect(complaints(`version: 1\ncommon: {appProtocol: HTTP}\napps: [{${app}}]`)).toEqual([]);
  });

  it("tells everything that is wrong at once, in the order of the file", () => {
    expect(
      complaints("version: 1\ncommon: {logLevel: x}\napps:\n- appPort: 70000\n- appDirPath: a\n  appID: a b\n"),
    ).toEqual([
      'dapr.yaml:2:20: logLevel must be debug, info, warn, error or fatal, not "x"',
      "dapr.yaml:4:3: required field 'appDirPath' not found: the app's folder",
      "dapr.yaml:4:12: appPort must be at most 65535, not 70000",
      'dapr.yaml:6:10: "a b" cannot be an app id: dots, slashes and spaces are not allowed',
    ]);
  });

  it("has a limit on apps", () => {
    const app = "- appDirPath: a\n";
    expect(parse(`version: 1\napps:\n${app.repeat(RUN_FILE_APPS_MAX)}`).apps).toHaveLength(RUN_FILE_APPS_MAX);
    expect(complaints(`version: 1\napps:\n${app.repeat(RUN_FILE_APPS_MAX + 1)}`)).toEqual([
      `dapr.yaml:${RUN_FILE_APPS_MAX + 3}:3: there are ${RUN_FILE_APPS_MAX + 1} apps, more than a run file may have (${RUN_FILE_APPS_MAX})`,
    ]);
  });
});

describe("readRunFile", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "outrigger-run-file-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const MINIMAL = "version: 1\napps:\n- appDirPath: a\n";

  it("reads a file, relative to the working directory", async () => {
    await writeFile(join(folder, "many.yml"), MINIMAL);
    expect(await readRunFile({ path: "many.yml", cwd: folder })).toMatchObject({
      path: join(folder, "many.yml"),
      directory: folder,
    });
  });

  it.each(["dapr.yaml", "dapr.yml"])("finds %s in a folder", async (name) => {
    await mkdir(join(folder, "inner"));
    await writeFile(join(folder, "inner", name), MINIMAL);
    const file = await readRunFile({ path: "inner", cwd: folder });
    expect([file.path, file.directory]).toEqual([join(folder, "inner", name), join(folder, "inner")]);
  });

  it("prefers the name that Dapr knows", async () => {
    await writeFile(join(folder, "dapr.yaml"), MINIMAL);
    await writeFile(join(folder, "dapr.yml"), "nonsense");
    expect((await readRunFile({ path: ".", cwd: folder })).path).toBe(join(folder, "dapr.yaml"));
  });

  it("reads standard input, with paths from the working directory", async () => {
    const bytes = Buffer.from("version: 1\napps:\n- appDirPath: é\n");
    const stdin = (async function* () {
      // A character is cut in two.
      yield bytes.subarray(0, bytes.indexOf(0xc3) + 1);
      yield bytes.subarray(bytes.indexOf(0xc3) + 1);
    })();
    const file = await readRunFile({ path: "-", cwd: folder, stdin });
    expect([file.path, file.directory, file.apps[0]?.value.appDirPath?.value]).toEqual([undefined, folder, "é"]);
  });

  it("names standard input in problems", async () => {
    await expect(readRunFile({ path: "-", cwd: folder })).rejects.toThrow(
      "standard input:1:1: required field 'version' not found",
    );
  });

  it.each([
    ["none.yaml", (path: string) => `the run file ${path} does not exist`],
    ["empty", (path: string) => `the folder ${path} has no run file: dapr.yaml or dapr.yml`],
    [
      "notes.txt",
      (path: string) => `file ${JSON.stringify(path)} is not a YAML file: its name must end in .yaml or .yml`,
    ],
    ["large.yaml", (path: string) => `${path} has more bytes than a run file may have (${RUN_FILE_BYTES_MAX})`],
  ])("refuses %s", async (name, message) => {
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "notes.txt"), MINIMAL);
    await writeFile(join(folder, "large.yaml"), "#".repeat(RUN_FILE_BYTES_MAX + 1));
    await expect(readRunFile({ path: name, cwd: folder })).rejects.toThrow(new PlanError(message(join(folder, name))));
  });

  it("stops reading an endless standard input", async () => {
    let chunks = 0;
    const stdin = (async function* () {
      for (;;) {
        chunks++;
        yield "#".repeat(64 * 1024);
      }
    })();
    await expect(readRunFile({ path: "-", cwd: folder, stdin })).rejects.toThrow(
      `standard input has more bytes than a run file may have (${RUN_FILE_BYTES_MAX})`,
    );
    expect(chunks).toBe(17);
  });
});
