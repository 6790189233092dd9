import { createServer, type AddressInfo } from "node:net";
import { crypto } from "../kit/lazy-builtins.ts";

const PORT_FIRST = 47_300;
const PORT_MAX = 65_535;

/** What makes a sidecar's port its own on a machine. */
export interface PortIdentity {
  readonly appId: string;
  readonly cwd: string;
  readonly userId: number;
  readonly hostname: string;
}

/** The port that daprd 1.18.3 tries first for the same app in the same folder (pkg/runtime, `GetStablePort`). */
export function stablePortCandidate(identity: PortIdentity): number {
  const { appId, cwd, userId, hostname } = identity;
  const digest = crypto().createHash("sha256").update(`${appId}|${cwd}|${userId}|${hostname}`).digest();
  return PORT_FIRST + (digest.readUInt16LE(0) % (PORT_MAX - PORT_FIRST));
}

/** A free port that is the same for the same app at every start, or any free one where that is taken. */
export async function stablePort(identity: PortIdentity): Promise<number> {
  const candidate = stablePortCandidate(identity);
  return (await tryPort(candidate)) ?? (await tryPort(0)) ?? candidate;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1" }, () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}
