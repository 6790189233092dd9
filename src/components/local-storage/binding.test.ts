import { lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutputBinding } from "../spi/bindings.ts";
import { componentDeps } from "../spi/component-deps.fixture.ts";
import { createLocalStorageBinding } from "./binding.ts";
import { plainData } from "./plain-data.ts";
import { secureJoin } from "./secure-join.ts";

const deps = componentDeps({ name: "files" });

let folder: string;
let root: string;
let binding: OutputBinding;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "outrigger-files-"));
  root = join(folder, "root");
  await writeFile(join(folder, "outside"), "secret");
  binding = createLocalStorageBinding(deps);
  await binding.init({ rootPath: root }, new AbortController().signal);
});
afterEach(async () => {
  await binding.close();
  await rm(folder, { recursive: true });
});

const call = async (operation: string, fileName: string, data = ""): Promise<string> => {
  const response = await binding.invoke({
    operation,
    data: Buffer.from(data),
    metadata: fileName === "" ? {} : { fileName },
  });
  return Buffer.from(response.data ?? []).toString();
};

describe("bindings.localstorage", () => {
  it("names a file that nobody named, and tells its name", async () => {
    const { fileName } = JSON.parse(await call("create", "", "x")) as { fileName: string };
    expect(fileName).toMatch(/^[0-9a-f-]{36}$/);
    expect(await readFile(join(root, fileName), "utf8")).toBe("x");
  });

  it("makes the folders on the way and lists what is below", async () => {
    await call("create", "b/two", "2");
    await call("create", "a", "1");
    expect(JSON.parse(await call("list", ""))).toEqual([join(root, "a"), join(root, "b/two")]);
    expect(JSON.parse(await call("list", "b"))).toEqual([join(root, "b/two")]);
    await expect(call("list", "a")).rejects.toThrow(
      `unable to list files as the file specified is not a directory: ${join(root, "a")}`,
    );
  });

  it("says that a file is not there", async () => {
    await expect(call("get", "none")).rejects.toMatchObject({
      kind: "notFound",
      message: `file not found: ${join(root, "none")}`,
    });
    await expect(call("delete", "none")).rejects.toThrow("error deleting file");
  });

  it.each(["../outside", "../../outside", "a/../../outside", "/../outside", "./.././outside", "..//../outside"])(
    "keeps %s within the root",
    async (name) => {
      await expect(call("get", name)).rejects.toMatchObject({ kind: "notFound" });
      await call("create", name, "inside");
      expect(await readFile(join(folder, "outside"), "utf8")).toBe("secret");
      expect(await readFile(join(root, "outside"), "utf8")).toBe("inside");
    },
  );

  it("reads links as if the root were the root of the file system", async () => {
    await symlink("../outside", join(root, "relative"));
    await symlink(join(folder, "outside"), join(root, "absolute"));
    await symlink("..", join(root, "up"));
    for (const name of ["relative", "absolute", "up/outside"]) {
      await expect(call("get", name), name).rejects.toMatchObject({ kind: "notFound" });
    }
    await call("create", "up/outside", "inside");
    expect(await readFile(join(folder, "outside"), "utf8")).toBe("secret");
  });

  it("gives links that lead in circles up", async () => {
    await symlink("two", join(root, "one"));
    await symlink("one", join(root, "two"));
    await expect(secureJoin(root, "one/x")).rejects.toMatchObject({ code: "ELOOP" });
    await expect(call("get", "one")).rejects.toMatchObject({ name: "ComponentError" });
  });

  it("refuses names with a null byte, and never deletes its root", async () => {
    await expect(call("create", "a\0b", "x")).rejects.toMatchObject({ name: "ComponentError" });
    await expect(call("delete", "..")).rejects.toThrow("the root path cannot be deleted");
    expect((await lstat(root)).isDirectory()).toBe(true);
  });

  it.each(["/proc/self", "/sys", "/boot/x", "/var/run/secrets", "/var/run/secrets/kubernetes.io"])(
    "refuses to live in %s",
    async (rootPath) => {
      await expect(createLocalStorageBinding(deps).init({ rootPath }, new AbortController().signal)).rejects.toThrow(
        "property rootPath points to a disallowed location",
      );
    },
  );

  it("refuses a root that is a file, or a link to a disallowed folder", async () => {
    await expect(
      createLocalStorageBinding(deps).init({ rootPath: join(folder, "outside") }, new AbortController().signal),
    ).rejects.toThrow("represents a file and not a directory");
    await symlink("/proc", join(folder, "link"));
    await expect(
      createLocalStorageBinding(deps).init({ rootPath: join(folder, "link/self") }, new AbortController().signal),
    ).rejects.toThrow("disallowed location");
    await mkdir(join(folder, "real"));
    await symlink(join(folder, "real"), join(folder, "good"));
    await createLocalStorageBinding(deps).init({ rootPath: join(folder, "good/sub") }, new AbortController().signal);
    expect((await lstat(join(folder, "real/sub"))).isDirectory()).toBe(true);
  });
});

describe("plainData", () => {
  it.each([
    ["a text", "a text"],
    ['"a \\"text\\""', 'a "text"'],
    ['"aGVsbG8gd29ybGQ="', "hello world"],
    ["aGVsbG8gd29ybGQ=", "hello world"],
    ['{"a":1}', '{"a":1}'],
    ['"broken', '"broken'],
    ["", ""],
  ])("keeps %s as %s", (given, kept) => {
    expect(Buffer.from(plainData(Buffer.from(given))).toString()).toBe(kept);
  });
});
