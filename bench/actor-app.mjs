// The app of the rows for actors, reminders and jobs. Usage: node actor-app.mjs [port]
//
// GET /bench/sidecar/<port>   where actors save their state
// GET /bench/due/<ms>         triggers are due then, in milliseconds since 1970; forgets those that have come
// GET /bench/arrivals         how many have come, and how late in milliseconds: {"count":…,"p50":…,"p99":…,"max":…}
import { createServer } from "node:http";
import { Pool } from "undici";

const BODY = Buffer.alloc(1024, "x");
const CONFIG = JSON.stringify({ entities: ["bench"], actorIdleTimeout: "1h" });
const STATE = JSON.stringify([
  { operation: "upsert", request: { key: "order", value: BODY.toString("latin1", 0, BODY.length - 2) } },
]);
const STATE_HEADERS = { "content-type": "application/json" };
const SIDECAR_CONNECTIONS = 32;

let sidecar;
let dueMs = 0;
let latenesses = [];

function answer(response, body, status = 200) {
  response.writeHead(status, { "content-type": "application/json", "content-length": String(body.length) }).end(body);
}

async function save(actorPath, response) {
  const path = `/v1.0/actors/${actorPath}/state`;
  const { statusCode, body } = await sidecar.request({ method: "POST", path, headers: STATE_HEADERS, body: STATE });
  await body.dump();
  answer(response, BODY, statusCode === 204 ? 200 : 500);
}

function arrivals() {
  const sorted = latenesses.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null;
  return JSON.stringify({ count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) });
}

function control(what, value, response) {
  if (what === "sidecar") {
    sidecar = new Pool(`http://127.0.0.1:${value}`, { connections: SIDECAR_CONNECTIONS, pipelining: 1 });
  } else if (what === "due") {
    dueMs = Number(value);
    latenesses = [];
  }
  answer(response, what === "arrivals" ? arrivals() : "{}");
}

createServer((request, response) => {
  request.resume();
  const [, first, second, third, fourth, fifth] = request.url.split("/");
  if (first === "actors" && fourth === "method" && fifth === "save") {
    save(`${second}/${third}`, response).catch((error) => answer(response, String(error), 500));
  } else if (first === "job" || (first === "actors" && fifth === "remind")) {
    latenesses.push(Date.now() - dueMs);
    answer(response, "{}");
  } else if (first === "actors") {
    answer(response, request.method === "DELETE" ? "" : BODY);
  } else if (first === "bench") {
    control(second, third, response);
  } else {
    answer(response, request.url === "/dapr/config" ? CONFIG : "{}");
  }
}).listen(Number(process.argv[2]), "127.0.0.1");
