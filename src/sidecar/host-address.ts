import { networkInterfaces } from "node:os";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * The address peers reach this sidecar at: the internal listen address where that is a loopback name, what the
 * environment says, or the machine's first IPv4 address that is not loopback.
 */
export function hostAddress(internalListenAddress: string, fromEnvironment: string): string {
  if (LOOPBACK.has(internalListenAddress)) {
    return internalListenAddress;
  }
  if (fromEnvironment !== "") {
    return fromEnvironment;
  }
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((address) => address.family === "IPv4" && !address.internal)?.address ?? "127.0.0.1";
}
