import type { SidecarAddress } from "../dev/sidecar-client.ts";
import type { Clock } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";
import type { ComponentResource } from "../resources/component.ts";
import type { PlannedApp } from "./set-up.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** The header `date`, in milliseconds since the Unix epoch; undefined without one. Whole seconds. */
  readonly dateMs: number | undefined;
  /** By the clock of this machine: when the request went out and the answer came. */
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** What a TLS server has shown. */
export interface TlsView {
  /** Empty: its certificate leads to one of the anchors; else OpenSSL's name of the fault. */
  readonly fault: string;
  /** Milliseconds since the Unix epoch. */
  readonly validFromMs: number;
  readonly expiresMs: number;
}

/** What the doctor looks at outside of files of resources. Nothing here writes, and everything ends within seconds. */
export interface DoctorWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: Random;
  /** As `process.versions.node`. */
  readonly nodeVersion: string;
  isPortFree(address: string, port: number): Promise<boolean>;
  /** As `pid 123 (node server.js)`. */
  portOwner(port: number): Promise<string | undefined>;
  /** @returns why there is no connection; undefined: there is one */
  connectFault(host: string, port: number): Promise<string | undefined>;
  /** @returns why the name has no address; undefined: it has one */
  lookupFault(host: string): Promise<string | undefined>;
  /** @throws Error when there is no answer */
  get(address: SidecarAddress, path: string): Promise<HttpAnswer>;
  /** @returns the message of the status that a call of a gRPC method ends with, or why there is none */
  grpcMessage(host: string, port: number, path: string): Promise<string>;
  /** @returns the release that a gRPC server says it is of; undefined: it does not know the question. @throws Error without an answer */
  serviceRelease(host: string, port: number): Promise<string | undefined>;
  /**
   * Brings components up as the app's sidecar would, and closes them again.
   * @param stores secret stores that they may need
   * @returns why one does not come up, by its name; the others do
   */
  componentFaults(
    app: PlannedApp,
    stores: readonly ComponentResource[],
    components: readonly ComponentResource[],
  ): Promise<ReadonlyMap<string, string>>;
  /** @throws Error when there is no TLS server */
  tlsView(host: string, port: number, anchors: string): Promise<TlsView>;
  /** @returns `missing`, `not writable`, or undefined where nothing keeps this user from it */
  folderFault(path: string): Promise<"missing" | "not writable" | undefined>;
  /** Names of the sockets in a folder, without their extensions; none where there is no folder. */
  socketNames(folder: string): Promise<readonly string[]>;
  /** Bytes that this user may still write to the file system of a folder. */
  freeBytes(path: string): Promise<number>;
  /** Whether this machine has an address that others can have packets from. */
  hasNetwork(): boolean;
  /** Files that one process may have open; undefined: the system does not say. */
  openFilesMax(): Promise<number | undefined>;
}
