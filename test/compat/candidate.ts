import { resolve } from "node:path";
import { type RunningSidecar, type StartOptions, startSidecar } from "../executable/program.ts";

/**
 * The path of another daprd-compatible executable to judge in place of ours: a case that it passes and ours fails is a
 * bug of ours.
 */
const OTHER = process.env["COMPAT_CANDIDATE"];

/** Whether the candidate has what only our own back ends have, such as `pubsub.sqlite`. */
export const IS_OURS: boolean = OTHER === undefined;

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");

/** Starts the candidate as a process of its own on free ports, and waits until it is ready. */
export function startCandidate(args: readonly string[], options: StartOptions = {}): Promise<RunningSidecar> {
  const flags = [...args, "--dapr-internal-grpc-listen-address=127.0.0.1", "--log-level=fatal"];
  return OTHER === undefined
    ? startSidecar(process.execPath, [MAIN, "sidecar", ...flags], options)
    : startSidecar(OTHER, flags, options);
}
