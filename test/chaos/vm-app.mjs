// An app of the hosts in namespaces, in plain JavaScript: it says where it runs, counts in actors of the type Counter unless
// it is told not to host any, and writes down what reminds and triggers it.
// Arguments: its port, its sidecar's HTTP port, the host's name, the file for events, "actors" or "none".
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const [port, daprPort, host, events, hosts] = process.argv.slice(2);
const CONFIG = JSON.stringify({ entities: hosts === "actors" ? ["Counter"] : [], drainOngoingCallTimeout: "2s" });
const PATIENCE_MS = 10_000;

createServer((incoming, response) => {
  incoming.resume().on("end", () => {
    const [kind, type, id, , method, name] = incoming.url.slice(1).split("/");
    if (incoming.url === "/dapr/config") {
      response.setHeader("content-type", "application/json").end(CONFIG);
    } else if (kind === "job") {
      appendFileSync(events, `${host} job ${type}\n`);
      response.end();
    } else if (method === "remind") {
      appendFileSync(events, `${host} reminder ${id} ${name}\n`);
      response.end();
    } else if (method === "add") {
      add(id).then(
        (count) => response.end(JSON.stringify({ host, count })),
        (error) => response.writeHead(500).end(`${host}: ${error.message}`),
      );
    } else {
      response.end(host);
    }
  });
}).listen(Number(port), "127.0.0.1");

async function add(id) {
  const before = await dapr("GET", `/v1.0/actors/Counter/${id}/state/count`);
  const count = Number(before || "0") + 1;
  await dapr("POST", `/v1.0/actors/Counter/${id}/state`, [
    { operation: "upsert", request: { key: "count", value: count } },
  ]);
  return count;
}

async function dapr(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${daprPort}${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${response.status} ${text}`);
  }
  return text;
}
