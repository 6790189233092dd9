import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import { temporaryFolder } from "./resources.ts";
import { freePort } from "./test-app.ts";
import { until } from "./until.ts";

/** Where Debian's packages put each major version's programs, which are in nobody's PATH. */
const VERSIONS = "/usr/lib/postgresql";

function newestPrograms(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(VERSIONS, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

const programs = newestPrograms();

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

function accountOf(user: string): Account | undefined {
  const id = (flag: string): number => Number(spawnSync("id", [flag, user], { encoding: "utf8" }).stdout || "NaN");
  const account = { uid: id("-u"), gid: id("-g") };
  return Number.isInteger(account.uid) && Number.isInteger(account.gid) ? account : undefined;
}

const isRoot = process.getuid?.() === 0;
const account = isRoot ? (accountOf("postgres") ?? accountOf("nobody")) : undefined;

/** Why tests that need a real PostgreSQL cannot run here; undefined: they can. */
export const postgresMissing: string | undefined =
  programs === undefined
    ? `no PostgreSQL server in ${VERSIONS} (Debian: apt-get install postgresql)`
    : isRoot && account === undefined
      ? "PostgreSQL does not run as root, and there is no other user to run it as"
      : undefined;

/** For the names of tests that are skipped then, so that they say why. */
export const postgresNote: string = postgresMissing === undefined ? "" : ` (${postgresMissing})`;

/** The superuser of every server and, for servers with passwords, its password. */
export const POSTGRES_USER = "tester";
export const POSTGRES_PASSWORD = "it's a \\ secret";

/** A real PostgreSQL on a free loopback port and a Unix socket, with a data folder of its own; disposing of it ends it. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  /** The folder of its Unix socket. */
  readonly socketFolder: string;
  /** `postgres://…`, without TLS parameters. */
  readonly url: string;
  /** File with the certificate that it shows, which vouches for itself; for servers with TLS. */
  readonly authority: string;
  /** One statement over a connection of its own. @returns the rows, each value as the server's text */
  sql(text: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
  /** SIGQUIT: it drops all connections and does not clean up, which is its way to crash. */
  kill(): Promise<void>;
  /** SIGSTOP to all its processes: connections stay and nothing is answered. */
  pause(): void;
  resume(): void;
}

export interface PostgresServerOptions {
  /** Asks everybody for a password (SCRAM). */
  readonly passwords?: boolean;
  /** Speaks TLS, and only that over TCP, with a certificate for the name `localhost`. */
  readonly tls?: boolean;
}

export async function startPostgresServer({
  passwords = false,
  tls = false,
}: PostgresServerOptions = {}): Promise<PostgresServer> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const data = join(folder.path, "data");
  let child: ChildProcess | undefined;

  const run = (program: string, args: readonly string[]): void => {
    const { status, stderr } = spawnSync(program, args, { ...account, encoding: "utf8", cwd: folder.path, env: {} });
    if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  };
  const writeOwned = async (name: string, text: string): Promise<void> => {
    const file = join(data, name);
    await writeFile(file, text, { mode: 0o600 });
    if (account !== undefined) chownSync(file, account.uid, account.gid);
  };
  const prepare = async (): Promise<void> => {
    await chmod(folder.path, 0o755);
    mkdirSync(data, { mode: 0o700 });
    if (account !== undefined) chownSync(data, account.uid, account.gid);
    const password = await folder.write("password", POSTGRES_PASSWORD);
    const method = passwords ? "scram-sha-256" : "trust";
    const options = ["-U", POSTGRES_USER, "-E", "UTF8", "--locale=C", "--no-sync", `--pwfile=${password}`];
    run(join(programs ?? "", "initdb"), ["-D", data, "-A", method, ...options]);
    if (tls) {
      await writeOwned("server.crt", SELF_SIGNED_CERT);
      await writeOwned("server.key", SELF_SIGNED_KEY);
    }
  };
  const start = async (): Promise<void> => {
    const settings = [
      `listen_addresses=127.0.0.1`,
      `unix_socket_directories=${data}`,
      "fsync=off",
      ...(tls ? ["ssl=on", "ssl_cert_file=server.crt", "ssl_key_file=server.key"] : []),
    ];
    const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
    child = spawn(join(programs ?? "", "postgres"), args, { ...account, stdio: "ignore", cwd: folder.path, env: {} });
    await until("PostgreSQL answers", async () => (await sql("select 1")).length === 1);
  };
  const sql = async (text: string): Promise<readonly (readonly (string | null)[])[]> => {
    const client = new pg.Client({
      host: data,
      port,
      user: POSTGRES_USER,
      password: POSTGRES_PASSWORD,
      database: "postgres",
      ssl: false,
      types: { getTypeParser: () => (value: string) => value },
    });
    // A server that ends takes its connections with it; whoever asks learns of it from the query.
    client.on("error", () => {});
    try {
      await client.connect();
      const result = await client.query<(string | null)[]>({ text, rowMode: "array" });
      return result.rows ?? [];
    } finally {
      await client.end();
    }
  };
  const kill = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGQUIT");
      await ended;
    }
  };
  const signalAll = (signal: NodeJS.Signals): void => {
    const children = spawnSync("ps", ["-o", "pid=", "--ppid", String(child?.pid)], { encoding: "utf8" }).stdout;
    for (const pid of [String(child?.pid), ...children.split("\n")].map(Number).filter((one) => one > 0)) {
      process.kill(pid, signal);
    }
  };
  const stop = async (): Promise<void> => {
    await kill();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await prepare();
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  const credentials = encodeURIComponent(POSTGRES_PASSWORD).replaceAll("'", "%27");
  return {
    port,
    socketFolder: data,
    url: `postgres://${POSTGRES_USER}:${credentials}@127.0.0.1:${port}/postgres`,
    authority: tls ? await folder.write("authority.crt", SELF_SIGNED_CERT) : "",
    sql,
    start,
    kill,
    pause: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
    [Symbol.asyncDispose]: stop,
  };
}
