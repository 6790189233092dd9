// The app of `publish-deliver`: subscribes to one topic and counts what arrives. Usage: node counting-app.mjs [port]
import { createServer } from "node:http";

const subscriptions = JSON.stringify([{ pubsubname: "broker", topic: "orders", route: "/orders" }]);
let delivered = 0;

createServer((request, response) => {
  request.resume();
  if (request.method === "POST") {
    delivered += 1;
    response.writeHead(200, { "content-length": "0" }).end();
    return;
  }
  const body = request.url === "/dapr/subscribe" ? subscriptions : request.url === "/count" ? String(delivered) : "{}";
  response.writeHead(200, { "content-type": "application/json", "content-length": String(body.length) }).end(body);
}).listen(Number(process.argv[2]), "127.0.0.1");
