import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";

const LOOPBACK = "127.0.0.1";

/** How many ports the system may offer before none is found that is not taken. */
const OFFERS_MAX = 64;

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
 * A port of the loopback interface that is free now and none of `taken`.
 * @throws Error when the system offers none
 */
export async function pickFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (let offer = 0; offer < OFFERS_MAX; offer += 1) {
    const server = createServer();
    const port = await listen(server, LOOPBACK, 0);
    await close(server);
    if (!taken.has(port)) {
      return port;
    }
  }
  throw new Error(`no free port found in ${OFFERS_MAX} tries`);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
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
