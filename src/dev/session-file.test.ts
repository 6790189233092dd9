import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readSessionFile, removeSessionFile, type SessionFile, writeSessionFile } from "./session-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outrigger-session-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const session: SessionFile = {
  pid: 12,
  apps: [
    { appId: "orders", appPid: 13, sidecarPid: 12, appPort: 6001, httpPort: 3501, grpcPort: 50_001 },
    { appId: "stock", appPid: undefined, sidecarPid: 12, appPort: undefined, httpPort: 3502, grpcPort: undefined },
  ],
};

it("is read as it was written, in a folder that is made", () => {
  const data = join(folder, "a", "b");
  writeSessionFile(data, session);
  writeSessionFile(data, { ...session, pid: 14 });
  expect(readSessionFile(data)).toEqual({ ...session, pid: 14 });
  expect(readdirSync(data)).toEqual(["session.json"]);
});

it("is undefined when there is none", () => {
  expect(readSessionFile(folder)).toBeUndefined();
  writeSessionFile(folder, session);
  removeSessionFile(folder);
  removeSessionFile(folder);
  expect(readSessionFile(folder)).toBeUndefined();
});

it.each(["", "null", "[]", "{", '{"pid":0,"apps":[]}', '{"pid":"1","apps":[]}', '{"pid":1}', '{"pid":1,"apps":[{}]}'])(
  "is undefined when it says %j",
  (text) => {
    writeFileSync(join(folder, "session.json"), text);
    expect(readSessionFile(folder)).toBeUndefined();
  },
);

it("leaves out numbers that are none", () => {
  writeFileSync(
    join(folder, "session.json"),
    JSON.stringify({ pid: 1, apps: [{ appId: "a", appPid: "7; rm", httpPort: -1, grpcPort: 5 }] }),
  );
  expect(readSessionFile(folder)?.apps).toEqual([
    { appId: "a", appPid: undefined, sidecarPid: undefined, appPort: undefined, httpPort: undefined, grpcPort: 5 },
  ]);
});
