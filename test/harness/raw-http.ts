import { request, type IncomingMessage, type RequestOptions } from "node:http";

/** An answer as it came, with the headers of its hop, which `fetch` hides. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** One HTTP/1.1 exchange with headers that `fetch` does not let through. An iterable body goes out in chunks. */
export async function rawRequest(
  url: string,
  options: RequestOptions = {},
  body?: string | Iterable<string>,
): Promise<RawAnswer> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...options }, resolve);
    outgoing.on("error", reject);
    if (body === undefined || typeof body === "string") {
      outgoing.end(body);
      return;
    }
    for (const chunk of body) {
      outgoing.write(chunk);
    }
    outgoing.end();
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}
