// Generates src/wire/gen from src/wire/proto, offline. With a folder as its argument it writes the
// same tree under that folder instead, which is how the test sees whether what is committed is fresh.
import { spawnSync } from "node:child_process";
import { delimiter, dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const base = resolve(process.argv[2] ?? root);
const buf = join(root, "node_modules/@bufbuild/buf/bin/buf");

// `buf.gen.yaml` starts the plugin as plain `node`: it has to be the Node that runs this script.
const path = [dirname(process.execPath), process.env["PATH"]].filter(Boolean).join(delimiter);

const { status, error } = spawnSync(process.execPath, [buf, "generate", "--output", base], {
  cwd: root,
  env: { ...process.env, PATH: path },
  stdio: "inherit",
});
if (error) throw error;
process.exitCode = status ?? 1;
