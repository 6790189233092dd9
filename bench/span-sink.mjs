// Takes spans over OTLP and forgets them. `GET /` answers how many bodies have come.
import { createServer } from "node:http";

let bodies = 0;
createServer((request, response) => {
  request.resume().on("end", () => {
    bodies += request.method === "POST" ? 1 : 0;
    const answer = request.method === "POST" ? "" : String(bodies);
    response.writeHead(200, { "content-type": "application/x-protobuf", "content-length": answer.length }).end(answer);
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
process.once("SIGINT", () => process.exit(0));
