import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const HERE = import.meta.dirname;
/** What is fetched and built stays here between runs; nothing of it is committed. */
const CACHE = resolve(HERE, "../../node_modules/.cache/interop");
/** Fetching and building for the first time, in milliseconds each. */
const FETCH_MS_MAX = 60_000;
const BUILD_MS_MAX = 120_000;
/** grpc-go's newest release needs this Go 1.x; older ones, as in Debian, get the last release that they can build. */
const GO_MINOR_NEWEST = 26;
const GO_MINOR_MIN = 19;
const JAVA_MIN = 17;
const H2SPEC_MODULE = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";

/** How to start a peer, or why it cannot be had here. */
export type Toolchain = { readonly command: readonly string[] } | { readonly missing: string };

interface Run {
  readonly ok: boolean;
  readonly output: string;
}

function run(program: string, args: readonly string[], cwd: string, timeoutMs: number): Promise<Run> {
  return new Promise((settle) => {
    const env = { ...process.env, GOTOOLCHAIN: "local" };
    execFile(program, args, { cwd, env, timeout: timeoutMs, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim();
      settle({ ok: error === null, output: output === "" ? (error?.message ?? "") : output });
    });
  });
}

function lastLine(text: string): string {
  return text.split("\n").at(-1) ?? "";
}

/** grpc-js is a dependency of the tests. */
export function jsPeer(): Toolchain {
  return { command: [process.execPath, join(HERE, "js/peer.ts")] };
}

/** @throws Error when the peer's own source does not build */
export async function goPeer(): Promise<Toolchain> {
  const cwd = join(HERE, "go");
  const version = await run("go", ["env", "GOVERSION"], cwd, FETCH_MS_MAX);
  if (!version.ok) return { missing: "go is not installed" };
  const minor = Number(/^go1\.(\d+)/.exec(lastLine(version.output))?.[1] ?? 0);
  if (minor < GO_MINOR_MIN) return { missing: `grpc-go needs Go 1.${GO_MINOR_MIN}, this is ${version.output}` };
  const modules = `-modfile=${minor >= GO_MINOR_NEWEST ? "go.mod" : "go119.mod"}`;
  const fetched = await run("go", ["mod", "download", modules], cwd, FETCH_MS_MAX);
  if (!fetched.ok) return { missing: `grpc-go could not be fetched: ${lastLine(fetched.output)}` };
  mkdirSync(CACHE, { recursive: true });
  const program = join(CACHE, "go-peer");
  const built = await run("go", ["build", modules, "-o", program, "."], cwd, BUILD_MS_MAX);
  if (!built.ok) throw new Error(`the grpc-go peer does not build:\n${built.output}`);
  return { command: [program] };
}

/** The program h2spec: the one in the PATH, or one that Go builds from its published module. */
export async function h2spec(): Promise<Toolchain> {
  if ((await run("h2spec", ["--version"], HERE, FETCH_MS_MAX)).ok) return { command: ["h2spec"] };
  const program = join(CACHE, "h2spec");
  if (existsSync(program)) return { command: [program] };
  const built = await run("env", [`GOBIN=${CACHE}`, "go", "install", H2SPEC_MODULE], HERE, BUILD_MS_MAX);
  if (!built.ok) return { missing: `neither h2spec nor a Go that can build it: ${lastLine(built.output)}` };
  return { command: [program] };
}

export async function pythonPeer(): Promise<Toolchain> {
  const cwd = join(HERE, "python");
  const peer = join(cwd, "peer.py");
  if ((await run("python3", ["-c", "import grpc"], cwd, FETCH_MS_MAX)).ok) return { command: ["python3", peer] };
  const venv = join(CACHE, "python");
  const python = join(venv, "bin/python");
  if ((await run(python, ["-c", "import grpc"], cwd, FETCH_MS_MAX)).ok) return { command: [python, peer] };
  const made = await run("python3", ["-m", "venv", "--clear", venv], cwd, FETCH_MS_MAX);
  if (!made.ok) return { missing: `neither grpcio nor python3 -m venv: ${lastLine(made.output)}` };
  const pip = ["-m", "pip", "install", "-q", "--only-binary", ":all:", "-r", "requirements.txt"];
  const fetched = await run(python, pip, cwd, FETCH_MS_MAX);
  if (!fetched.ok) return { missing: `grpcio could not be fetched: ${lastLine(fetched.output)}` };
  return { command: [python, peer] };
}

/** @throws Error when the peer's own source does not build */
export async function javaPeer(): Promise<Toolchain> {
  const cwd = join(HERE, "java");
  const version = await run("javac", ["-version"], cwd, FETCH_MS_MAX);
  const major = Number(/javac (\d+)/.exec(version.output)?.[1] ?? 0);
  if (major < JAVA_MIN) return { missing: `no JDK ${JAVA_MIN} or later is installed` };
  const jars = join(CACHE, "java-jars");
  if (!existsSync(jars) || readdirSync(jars).length === 0) {
    const maven = ["-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${jars}`];
    const fetched = await run("mvn", maven, cwd, FETCH_MS_MAX);
    if (!fetched.ok) return { missing: `grpc-java could not be fetched: ${lastLine(fetched.output)}` };
  }
  const classes = join(CACHE, "java-classes");
  const built = await run("javac", ["-cp", join(jars, "*"), "-d", classes, "Peer.java"], cwd, BUILD_MS_MAX);
  if (!built.ok) throw new Error(`the grpc-java peer does not build:\n${built.output}`);
  return { command: ["java", "-cp", `${classes}:${join(jars, "*")}`, "Peer"] };
}
