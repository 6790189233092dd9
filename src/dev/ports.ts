import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";

const LOOPBACK = "127.0.0.1";

/**
 * Ports are picked here. Systems take the ports of outgoing connections from higher up (Linux from 32768, others from
 * 49152): one that is free when it is picked could be gone when a sidecar listens, a second later.
 */
const PICKED_FIRST = 10_000;
const PICKED_COUNT = 4_999;

/** Between the first ports that processes of neighbouring ids pick: what one session hardly ever needs. */
const PORTS_PER_PROCESS = 61;

/** An API that was given no address listens on all. */
const ALL_ADDRESSES = [LOOPBACK, "0.0.0.0", "::"] as const;

const COMMAND_CHARACTERS_MAX = 100;

/** TCP_LISTEN in `/proc/net/tcp`. */
const LISTENING = "0A";

/**
 * Whether nobody listens on a port of an address. A port that this process may not open, or an address that the machine
 * does not have, is nobody's: whoever opens it for real says why it cannot.
 */
export async function isPortFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, address, port);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EADDRINUSE";
  }
  await close(server);
  return true;
}

/**
 * A port that is free now on every address and none of `taken`, to which it is added.
 * @throws Error when there is none
 */
export async function pickFreePort(taken: Set<number>): Promise<number> {
  const start = process.pid * PORTS_PER_PROCESS;
  for (let offer = 0; offer < PICKED_COUNT; offer += 1) {
    const port = PICKED_FIRST + ((start + offer) % PICKED_COUNT);
    if (!taken.has(port)) {
      // Before the look at it, which others may pick during.
      taken.add(port);
      if (await isFreeEverywhere(port)) {
        return port;
      }
    }
  }
  throw new Error(`none of the ports from ${PICKED_FIRST} to ${PICKED_FIRST + PICKED_COUNT - 1} is free`);
}

async function isFreeEverywhere(port: number): Promise<boolean> {
  for (const address of ALL_ADDRESSES) {
    if (!(await isPortFree(address, port))) {
      return false;
    }
  }
  return true;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/**
 * Who listens on a port, as `pid 123 (node server.js)`. Linux only, from /proc; undefined elsewhere, when nobody does, and
 * when it is a process of another user.
 */
export async function portOwner(port: number): Promise<string | undefined> {
  if (process.platform !== "linux") {
    return undefined;
  }
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(none)),
  );
  const sockets = new Set(tables.flatMap((table) => listeners(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) {
    return undefined;
  }
  for (const pid of await readdir("/proc").catch(nobody)) {
    if (/^\d+$/.test(pid) && (await holdsOneOf(pid, sockets))) {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(none);
      return `pid ${pid} (${shortened(command.replaceAll("\0", " ").trim())})`;
    }
  }
  return undefined;
}

function none(): string {
  return "";
}

function nobody(): string[] {
  return [];
}

/** Inodes of the sockets that listen on a port. Columns: number, local address, remote address, state … inode. */
function listeners(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => state === LISTENING && local.endsWith(wanted))
    .flatMap((columns) => columns[9] ?? []);
}

async function holdsOneOf(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const fd of await readdir(folder).catch(nobody)) {
    if (sockets.has(await readlink(`${folder}/${fd}`).catch(none))) {
      return true;
    }
  }
  return false;
}

function shortened(command: string): string {
  return command.length <= COMMAND_CHARACTERS_MAX ? command : `${command.slice(0, COMMAND_CHARACTERS_MAX - 1)}…`;
}
