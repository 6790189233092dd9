import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { call, DROP, GuestBuilder, i32, NEXT } from "../../src/components/http-wasm/guest.fixture.ts";
import { httpWasmManifest } from "../../src/components/http-wasm/manifest.ts";
import { middlewareConformance } from "./middleware.ts";

const folder = await mkdtemp(join(tmpdir(), "outrigger-guest-"));
const path = join(folder, "guest.wasm");
const builder = new GuestBuilder();
const header = [...builder.text("x-guest").code, ...builder.text("1").code];
const request = [...call("enable_features", i32(3)), ...DROP, ...call("set_header_value", i32(1), header), ...NEXT];
await writeFile(path, builder.build(request));
afterAll(() => rm(folder, { recursive: true }));

middlewareConformance({
  manifest: httpWasmManifest,
  metadata: () => ({ url: `file://${path}`, maxInstances: "3" }),
  refused: { url: "file:///nowhere.wasm" },
});
