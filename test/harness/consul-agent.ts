import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";

/** A service as it was registered. */
export interface ConsulService {
  readonly ID: string;
  readonly Name: string;
  readonly Address?: string;
  readonly Port?: number;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Checks?: readonly Readonly<Record<string, unknown>>[];
}

/** What the agent does instead of answering. */
export type ConsulTrouble = "status 500" | "status 403" | "garbage" | "silence" | "cut off" | "too much";

/** The part of Consul's HTTP API that name resolution uses, on a loopback port. */
export interface ConsulAgent extends AsyncDisposable {
  readonly port: number;
  readonly services: ReadonlyMap<string, ConsulService>;
  /** `METHOD path?query` of every request, in order. */
  readonly requests: readonly string[];
  /** Headers of the last request. */
  readonly lastHeaders: IncomingMessage["headers"];
  register(service: ConsulService): void;
  setHealthy(id: string, healthy: boolean): void;
  /** It loses all it knows, and counts from the beginning. */
  forgetAll(): void;
  trouble: ConsulTrouble | undefined;
  /** Requests with another token are refused; empty: none is asked for. */
  token: string;
}

export interface ConsulAgentOptions {
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where it listens; loopback by default. */
  readonly address?: string;
}

/** How often TCP checks are made, whatever their interval says, and how long one may take. */
const CHECK_MS = 500;

const TOO_MUCH_BYTES = 5 * 1024 * 1024;

export async function startConsulAgent({ tls, address = "127.0.0.1" }: ConsulAgentOptions = {}): Promise<ConsulAgent> {
  const services = new Map<string, ConsulService>();
  const unhealthy = new Set<string>();
  const requests: string[] = [];
  const waiting = new Set<() => void>();
  let index = 1;
  const changed = (): void => {
    index += 1;
    for (const wake of waiting) wake();
    waiting.clear();
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "", "http://agent");
    const path = decodeURIComponent(pathname);
    requests.push(`${method} ${request.url}`);
    agent.lastHeaders = headers;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (agent.trouble !== undefined) {
      return misbehave(agent.trouble, response);
    }
    if (agent.token !== "" && headers["x-consul-token"] !== agent.token) {
      return void response.writeHead(403).end("Permission denied: anonymous token lacks permission");
    }
    const [, id = ""] = /^\/v1\/agent\/service\/(?:deregister\/)?(.*)$/.exec(path) ?? [];
    const [, name = ""] = /^\/v1\/health\/service\/(.*)$/.exec(path) ?? [];
    if (method === "PUT" && path === "/v1/agent/service/register") {
      agent.register(JSON.parse(Buffer.concat(chunks).toString()) as ConsulService);
      response.end();
    } else if (method === "PUT" && path.startsWith("/v1/agent/service/deregister/")) {
      services.delete(id);
      changed();
      response.end();
    } else if (method === "GET" && path === "/v1/agent/self") {
      response.end(JSON.stringify({ Config: {} }));
    } else if (method === "GET" && id !== "") {
      const known = services.get(id);
      response.writeHead(known === undefined ? 404 : 200).end(JSON.stringify(known ?? `unknown service ID: ${id}`));
    } else if (method === "GET" && name !== "") {
      await waitFor(Number(searchParams.get("index") ?? 0), Number.parseInt(searchParams.get("wait") ?? "0", 10));
      const found = [...services.values()].filter((each) => each.Name === name && !unhealthy.has(each.ID));
      response.setHeader("X-Consul-Index", index);
      response.end(JSON.stringify(found.map((Service) => ({ Node: { Address: "127.0.0.9" }, Service, Checks: [] }))));
    } else {
      response.writeHead(404).end();
    }
  }

  async function waitFor(known: number, waitMs: number): Promise<void> {
    if (known < index || waitMs === 0) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async function checkAll(): Promise<void> {
    for (const { ID, Checks = [] } of services.values()) {
      const addresses = Checks.flatMap(({ TCP }) => (typeof TCP === "string" ? [TCP] : []));
      const healthy = (await Promise.all(addresses.map(canConnect))).every(Boolean);
      if (addresses.length > 0 && healthy === unhealthy.has(ID)) {
        agent.setHealthy(ID, healthy);
      }
    }
  }
  const checking = setInterval(() => void checkAll(), CHECK_MS);

  const handler = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const agent = {
    port: (server.address() as AddressInfo).port,
    services,
    requests,
    lastHeaders: {} as IncomingMessage["headers"],
    trouble: undefined as ConsulTrouble | undefined,
    token: "",
    register(service: ConsulService): void {
      services.set(service.ID, service);
      changed();
    },
    setHealthy(id: string, healthy: boolean): void {
      if (healthy) unhealthy.delete(id);
      else unhealthy.add(id);
      changed();
    },
    forgetAll(): void {
      services.clear();
      changed();
      index = 1;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(checking);
      changed();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return agent;
}

async function canConnect(target: string): Promise<boolean> {
  const [host = "", port = ""] = target.split(":");
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: CHECK_MS });
    const end = (reached: boolean) => () => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}

function misbehave(trouble: ConsulTrouble, response: ServerResponse): void {
  switch (trouble) {
    case "status 500":
      return void response.writeHead(500).end("No cluster leader");
    case "status 403":
      return void response.writeHead(403).end("Permission denied");
    case "garbage":
      return void response.end("<html>");
    case "too much":
      return void response.end(Buffer.alloc(TOO_MUCH_BYTES, " "));
    case "cut off":
      return void response.destroy();
    case "silence":
  }
}
