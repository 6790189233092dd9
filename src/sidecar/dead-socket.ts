import { lstat, rm } from "node:fs/promises";
import { connect } from "node:net";

/**
 * Removes a socket file that a killed process has left behind, so that its successor can listen there; a file that is no
 * socket, or that somebody listens on, stays. @returns whether it removed one
 */
export async function removeDeadSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true || !(await refuses(path))) {
    return false;
  }
  await rm(path, { force: true });
  return true;
}

/** The kernel refuses a socket file without a listener at once. */
function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}
