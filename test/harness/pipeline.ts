import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { component, configuration } from "./resources.ts";

/** A Component and the handlers of it in the pipelines that are asked for. */
export interface Handler {
  readonly name: string;
  /** Without `middleware.http.`. */
  readonly type: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

type Pipeline = "httpPipeline" | "appHttpPipeline";

/** A Configuration with the handlers in one pipeline, or in each of both. */
export function pipelineConfiguration(pipelines: Partial<Record<Pipeline, readonly Handler[]>>): string {
  const sections = Object.entries(pipelines).map(([name, handlers]) => {
    const lines = handlers.map((one) => `      - { name: ${one.name}, type: middleware.http.${one.type} }\n`);
    return `  ${name}:\n    handlers:\n${lines.join("")}`;
  });
  return configuration(sections.join(""));
}

/** Their Components. */
export function handlerResources(handlers: readonly Handler[]): string {
  return handlers.map(({ name, type, metadata }) => component(name, `middleware.http.${type}`, metadata)).join("---\n");
}

/** What a server of a test answers. */
export interface ServedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An HTTP server on a free loopback port. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** `<method> <path> <body>`. */
  readonly asked: readonly string[];
}

export async function serve(
  answer: (request: IncomingMessage, body: string) => ServedAnswer | Promise<ServedAnswer>,
): Promise<TestServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      asked.push(`${request.method} ${request.url} ${body}`);
      const { status = 200, headers = {}, body: text = "" } = await answer(request, body);
      response.writeHead(status, headers).end(text);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
