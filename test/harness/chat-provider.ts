import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the provider got it. */
export interface ChatRequestSeen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What it answers: by default the last message's content. */
export type ChatAnswer = (seen: ChatRequestSeen) => { readonly status: number; readonly body: unknown };

/** An HTTP server that speaks as much of OpenAI's chat completions as the tests ask for. */
export interface ChatProvider extends AsyncDisposable {
  /** Base URL, as a component's `endpoint`. */
  readonly url: string;
  readonly seen: ChatRequestSeen[];
  answer: ChatAnswer;
}

/** `{choices:[…]}` with one message. */
export function completion(content: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return { choices: [{ finish_reason: "stop", message: { role: "assistant", content } }], ...more };
}

export async function startChatProvider(): Promise<ChatProvider> {
  const seen: ChatRequestSeen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Readonly<Record<string, unknown>>;
      const one = { url: request.url ?? "", headers: request.headers, body };
      seen.push(one);
      const answer = provider.answer(one);
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const provider: ChatProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    answer: ({ body }) => ({ status: 200, body: completion(lastContent(body)) }),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
}

function lastContent(body: Readonly<Record<string, unknown>>): string {
  const messages = body["messages"] as readonly { readonly content: string }[];
  return messages.at(-1)?.content ?? "";
}
