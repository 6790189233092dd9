import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { until } from "../harness/until.ts";

const PROGRAM = "ip";

/** Where the test itself is, and services that belong to no host. */
const OUTSIDE = 254;

/**
 * Takes a network down, with all that runs in it, when its input ends: when it is told to, and also when the process that
 * made the network is gone, however it went. Arguments: the network's id, its bridge and the number of hosts.
 */
const CARETAKER = `
trap '' INT TERM HUP
cat > /dev/null
for host in $(seq "$3"); do
  ip netns pids "outrigger-$1-$host" | xargs -r kill -KILL
  ip netns del "outrigger-$1-$host"
  ip link del "$2-$host"
done
ip link del "$2"
`;

/** @returns what it has written */
function ip(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(PROGRAM, args, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`ip ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
  }
  return stdout;
}

function findMissing(): string | undefined {
  if (process.getuid?.() !== 0) {
    return "network namespaces need root";
  }
  const name = `outrigger-try-${process.pid}`;
  try {
    ip("netns", "add", name);
    try {
      ip("-n", name, "link", "add", "veth-try", "type", "veth", "peer", "name", "veth-peer");
    } finally {
      ip("netns", "del", name);
    }
    return undefined;
  } catch (error) {
    return `there can be no network namespaces here: ${(error as Error).message}`;
  }
}

/** Why there can be no hosts in network namespaces here; undefined: there can. */
export const hostNetworkMissing: string | undefined = findMissing();

/** Hosts as network namespaces, each with an address of its own, on one bridge; the test itself is on it, too. */
export class HostNetwork implements AsyncDisposable {
  readonly #subnet: string;
  readonly #id: string;
  readonly #count: number;
  readonly #caretaker: ChildProcess;

  private constructor(subnet: string, id: string, count: number) {
    this.#subnet = subnet;
    this.#id = id;
    this.#count = count;
    this.#caretaker = spawn("/bin/sh", ["-c", CARETAKER, "outrigger-caretaker", id, this.#bridge, String(count)], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#caretaker.unref();
  }

  static async open(count: number): Promise<HostNetwork> {
    const subnet = await freeSubnet();
    const id = subnet.split(".").slice(1, 3).join("x");
    const network = new HostNetwork(subnet, id, count);
    try {
      network.#build();
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** @param host from 1 */
  address(host: number): string {
    return `${this.#subnet}.${host}`;
  }

  get outside(): string {
    return this.address(OUTSIDE);
  }

  /** What a command stands behind to run on a host. */
  prefix(host: number): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace(host)];
  }

  /** Takes a host's cable out, or puts it in again. */
  link(host: number, state: "up" | "down"): void {
    ip("link", "set", this.#cable(host), state);
  }

  /** Ends whatever runs on a host, at once. */
  async killAll(host: number): Promise<void> {
    await until(`nothing runs on host ${host}`, () => {
      const pids = ip("netns", "pids", this.#namespace(host)).split("\n").filter(Boolean);
      if (pids.length > 0) {
        spawnSync("kill", ["-KILL", ...pids]);
      }
      return pids.length === 0;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#caretaker.exitCode === null && this.#caretaker.signalCode === null) {
      const gone = once(this.#caretaker, "exit");
      this.#caretaker.ref();
      this.#caretaker.stdin?.end();
      await gone;
    }
  }

  #build(): void {
    ip("link", "add", this.#bridge, "type", "bridge");
    ip("addr", "add", `${this.outside}/24`, "dev", this.#bridge);
    ip("link", "set", this.#bridge, "up");
    for (let host = 1; host <= this.#count; host += 1) {
      const namespace = this.#namespace(host);
      ip("netns", "add", namespace);
      ip("link", "add", this.#cable(host), "type", "veth", "peer", "name", "eth0", "netns", namespace);
      ip("link", "set", this.#cable(host), "master", this.#bridge, "up");
      ip("-n", namespace, "addr", "add", `${this.address(host)}/24`, "dev", "eth0");
      ip("-n", namespace, "link", "set", "eth0", "up");
      ip("-n", namespace, "link", "set", "lo", "up");
    }
  }

  get #bridge(): string {
    return `or${this.#id}`;
  }

  #namespace(host: number): string {
    return `outrigger-${this.#id}-${host}`;
  }

  #cable(host: number): string {
    return `or${this.#id}-${host}`;
  }
}

/** A /24 of 10.213.0.0/16 that no interface of this machine has. */
async function freeSubnet(): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const subnet = `10.213.${Math.floor(Math.random() * 256)}`;
    if (!(await isOurs(`${subnet}.${OUTSIDE}`))) {
      return subnet;
    }
  }
  throw new Error("all subnets of 10.213.0.0/16 are taken");
}

/** Whether an address belongs to this machine: then one can listen on it. */
function isOurs(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(0, address, () => server.close(() => resolve(true)));
  });
}
