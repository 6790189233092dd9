import { lookup } from "node:dns/promises";
import { access, constants, readdir, readFile, statfs } from "node:fs/promises";
import { request } from "node:http";
import { isIP, connect } from "node:net";
import { networkInterfaces } from "node:os";
import { parse } from "node:path";
import { connect as connectTls } from "node:tls";
import { askRelease } from "../control-plane/shared/ask-release.ts";
import { isPortFree, portOwner } from "../dev/ports.ts";
import type { SidecarAddress } from "../dev/sidecar-client.ts";
import { errorMessage } from "../kit/error-message.ts";
import { systemRandom } from "../kit/random.ts";
import { systemClock } from "../kit/system-clock.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import { transportOf } from "../net/h2/implementations.ts";
import { appInventory } from "./app-inventory.ts";
import type { DoctorWorld, HttpAnswer, TlsView } from "./world.ts";

/** Milliseconds for one connection or one answer. */
const STEP_MS_MAX = 2_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

/** This machine. */
export function systemWorld(environment: DoctorWorld["environment"]): DoctorWorld {
  return {
    environment,
    clock: systemClock,
    random: systemRandom,
    nodeVersion: process.versions.node,
    isPortFree,
    portOwner,
    connectFault,
    lookupFault,
    get,
    grpcMessage,
    serviceRelease,
    componentFaults,
    tlsView,
    folderFault,
    socketNames,
    freeBytes,
    hasNetwork,
    openFilesMax,
  };
}

function connectFault(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: STEP_MS_MAX });
    const end = (fault?: string): void => {
      socket.destroy();
      resolve(fault);
    };
    socket.once("connect", () => end());
    socket.once("timeout", () => end(`no answer in ${STEP_MS_MAX} ms`));
    socket.once("error", (error) => end(causeText(error)));
  });
}

async function lookupFault(host: string): Promise<string | undefined> {
  if (isIP(host) !== 0) {
    return undefined;
  }
  const late = new Promise<string>((resolve) => {
    systemClock.after(STEP_MS_MAX, () => resolve(`no answer in ${STEP_MS_MAX} ms`));
  });
  const found = lookup(host).then(
    () => undefined,
    (error: unknown) => causeText(error),
  );
  return await Promise.race([found, late]);
}

function get({ host, port, socketPath, apiToken }: SidecarAddress, path: string): Promise<HttpAnswer> {
  const sentMs = systemClock.now();
  return new Promise((resolve, reject) => {
    const call = request({
      path,
      agent: false,
      timeout: STEP_MS_MAX,
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      headers: apiToken === "" ? {} : { "dapr-api-token": apiToken },
    });
    call.once("error", reject);
    call.once("timeout", () => call.destroy(new Error(`no answer in ${STEP_MS_MAX} ms`)));
    call.once("response", (response) => {
      const receivedMs = systemClock.now();
      const dateMs = Date.parse(response.headers.date ?? "");
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        body += part;
        if (body.length > ANSWER_BYTES_MAX) {
          call.destroy(new Error(`the answer to ${path} is longer than ${ANSWER_BYTES_MAX} bytes`));
        }
      });
      response.once("error", reject);
      response.once("end", () => {
        const status = response.statusCode ?? 0;
        resolve({ status, body, dateMs: Number.isNaN(dateMs) ? undefined : dateMs, sentMs, receivedMs });
      });
    });
    call.end();
  });
}

/** An empty message is sent to the method. */
async function grpcMessage(host: string, port: number, path: string): Promise<string> {
  const client = createGrpcClient(transportOf("own"), addressText(host, port));
  const empty = new Uint8Array();
  const method = {
    path,
    kind: "unary",
    encodeRequest: () => empty,
    decodeRequest: () => empty,
    encodeResponse: () => empty,
    decodeResponse: () => empty,
  } as const;
  try {
    await client.unary(method, empty, { timeoutMs: STEP_MS_MAX });
    return "";
  } catch (error) {
    return errorMessage(error);
  } finally {
    await client.close();
  }
}

async function serviceRelease(host: string, port: number): Promise<string | undefined> {
  const client = createGrpcClient(transportOf("own"), addressText(host, port));
  try {
    return await askRelease(client, STEP_MS_MAX);
  } finally {
    await client.close();
  }
}

async function componentFaults(
  ...[app, stores, components]: Parameters<DoctorWorld["componentFaults"]>
): ReturnType<DoctorWorld["componentFaults"]> {
  const inventory = appInventory(app, { clock: systemClock, random: systemRandom });
  try {
    await inventory.load([...stores, ...components]);
    const names = new Set(components.map(({ name }) => name));
    return new Map(
      inventory
        .conditions()
        .filter(({ name, condition }) => names.has(name) && condition === "failed")
        .map(({ name, reason }) => [name, reason]),
    );
  } finally {
    await inventory.close();
  }
}

function addressText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Names are not compared: identities of the control plane are URIs, which its clients check. */
function tlsView(host: string, port: number, anchors: string): Promise<TlsView> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host,
      port,
      ca: anchors,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ["h2"],
      timeout: STEP_MS_MAX,
    });
    socket.once("error", reject);
    socket.once("timeout", () => socket.destroy(new Error(`no answer in ${STEP_MS_MAX} ms`)));
    socket.once("secureConnect", () => {
      const { valid_from: validFrom, valid_to: validTo } = socket.getPeerCertificate();
      const fault = socket.authorized ? "" : String(socket.authorizationError);
      socket.destroy();
      resolve({ fault, validFromMs: Date.parse(validFrom), expiresMs: Date.parse(validTo) });
    });
  });
}

async function folderFault(path: string): Promise<"missing" | "not writable" | undefined> {
  try {
    await access(path, constants.F_OK);
  } catch {
    return "missing";
  }
  try {
    await access(path, constants.W_OK);
    return undefined;
  } catch {
    return "not writable";
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function socketNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isSocket()).map(({ name }) => parse(name).name);
}

function hasNetwork(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal) === true);
}

/** Linux only, from /proc. */
async function openFilesMax(): Promise<number | undefined> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const [, soft] = /^Max open files +(\d+)/m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function causeText(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return TEXTS[code ?? ""] ?? errorMessage(error);
}

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "the name server does not answer",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
  ETIMEDOUT: "no answer",
};
