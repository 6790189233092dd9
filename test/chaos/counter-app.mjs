// An actor app in plain JavaScript: a counter that keeps the operations it has counted, in its state and, until it is told
// that it is deactivated, in memory, as SDKs do.
// Arguments: its port, its sidecar's HTTP port, its name.
import { Agent, createServer, request } from "node:http";

const [port, daprPort, host] = process.argv.slice(2);
const CONFIG = JSON.stringify({ entities: ["Counter"], drainOngoingCallTimeout: "2s", drainRebalancedActors: true });
const PATIENCE_MS = 10_000;

const agent = new Agent({ keepAlive: true });
const counters = new Map();

createServer((incoming, response) => {
  let body = "";
  incoming.setEncoding("utf8").on("data", (part) => (body += part));
  incoming.on("end", () => {
    const [kind, , id, , method] = incoming.url.slice(1).split("/");
    if (incoming.url === "/dapr/config") {
      response.setHeader("content-type", "application/json").end(CONFIG);
    } else if (kind === "actors" && incoming.method === "DELETE") {
      counters.delete(id);
      response.end();
    } else if (kind === "actors" && method === "add") {
      add(id, JSON.parse(body)).then(
        (count) => response.end(JSON.stringify({ host, count })),
        (error) => response.writeHead(500).end(`${host}: ${error.message}`),
      );
    } else if (kind === "actors" && method === "read") {
      opsOf(id).then(
        (ops) => response.end(JSON.stringify(ops)),
        (error) => response.writeHead(500).end(`${host}: ${error.message}`),
      );
    } else {
      response.end();
    }
  });
}).listen(Number(port), "127.0.0.1");

/** Counts one operation; memory is right only as long as what is in it has been saved. */
async function add(id, op) {
  const ops = [...(await opsOf(id)), op];
  counters.delete(id);
  await dapr("POST", `/v1.0/actors/Counter/${id}/state`, [
    { operation: "upsert", request: { key: "ops", value: ops } },
  ]);
  counters.set(id, ops);
  return ops.length;
}

async function opsOf(id) {
  const known = counters.get(id);
  if (known !== undefined) {
    return known;
  }
  const text = await dapr("GET", `/v1.0/actors/Counter/${id}/state/ops`);
  const ops = text === "" ? [] : JSON.parse(text);
  counters.set(id, ops);
  return ops;
}

function dapr(method, path, body) {
  return new Promise((resolve, reject) => {
    const call = request({ agent, host: "127.0.0.1", port: Number(daprPort), method, path, timeout: PATIENCE_MS });
    call.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () =>
        response.statusCode < 300 ? resolve(text) : reject(new Error(`${response.statusCode} ${text}`)),
      );
    });
    call.on("timeout", () => call.destroy(new Error("the sidecar did not answer")));
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
