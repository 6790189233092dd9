import { GRPC_STATUS, type GrpcStatusCode } from "../../src/errors/grpc-status.ts";
import { GrpcServer, rawMethod } from "../../src/net/grpc/server.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import type { ServerCall } from "../../src/net/grpc/types.ts";
import { Gate, pathOf, pattern } from "./protocol.ts";

/** Of one message; the tests send 5 MB. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export const METHODS = {
  unary: rawMethod(pathOf("unary"), "unary"),
  collect: rawMethod(pathOf("collect"), "client_streaming"),
  repeat: rawMethod(pathOf("repeat"), "server_streaming"),
  chat: rawMethod(pathOf("chat"), "bidi_streaming"),
} as const;

/** The echo service of README.md on our own server. */
export class EchoService {
  readonly server = new GrpcServer({ messageBytesMax: MESSAGE_BYTES_MAX });
  /** Calls whose caller went away while they waited. */
  cancelled = 0;
  private readonly gate = new Gate();

  constructor() {
    const { server } = this;
    server.add(METHODS.unary, async (request, call) => {
      await this.begin(call);
      end(call);
      const size = numberIn(call, "x-size");
      return size === undefined ? request : pattern(0, size);
    });
    server.add(METHODS.collect, async (requests, call) => {
      await this.begin(call);
      let count = 0;
      let bytes = 0;
      for await (const request of requests) {
        count += 1;
        bytes += request.length;
      }
      end(call);
      return Buffer.from(`${count} ${bytes}`);
    });
    server.add(METHODS.repeat, (_request, call) => this.repeat(call));
    server.add(METHODS.chat, (requests, call) => this.chat(requests, call));
  }

  private async *repeat(call: ServerCall): AsyncGenerator<Uint8Array> {
    await this.begin(call);
    const count = numberIn(call, "x-count") ?? 1;
    for (let i = 0; i < count; i += 1) yield pattern(i, numberIn(call, "x-size") ?? 0);
    end(call);
  }

  private async *chat(requests: AsyncIterable<Uint8Array>, call: ServerCall): AsyncGenerator<Uint8Array> {
    await this.begin(call);
    const early = numberIn(call, "x-early") ?? -1;
    let count = 0;
    if (early !== 0) {
      for await (const request of requests) {
        yield request;
        count += 1;
        if (count === early) break;
      }
    }
    end(call);
  }

  /** What comes before the answer, for all kinds: metadata, the wait, the gate. */
  private async begin(call: ServerCall): Promise<void> {
    for (const [key, value] of call.metadata.entries()) {
      if (key.startsWith("echo-")) call.responseHeaders.append(key, value);
      else if (key.startsWith("trail-")) call.responseTrailers.append(key, value);
    }
    if (call.metadata.get("x-show-timeout") !== undefined && call.timeoutMs !== undefined) {
      call.responseHeaders.set("seen-timeout-ms", String(Math.trunc(call.timeoutMs)));
    }
    const delay = numberIn(call, "x-delay-ms");
    if (delay !== undefined) await this.wait(delay, call.signal);
    await this.gate.wait(numberIn(call, "x-gate") ?? 0);
  }

  private wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        this.cancelled += 1;
        reject(signal.reason as Error);
      });
    });
  }
}

function numberIn(call: ServerCall, key: string): number | undefined {
  const value = call.metadata.get(key);
  return value === undefined ? undefined : Number(value);
}

/** @throws GrpcError the status that the caller asked for */
function end(call: ServerCall): void {
  const code = numberIn(call, "x-status") ?? 0;
  if (code === GRPC_STATUS.OK) return;
  const message = Buffer.from(call.metadata.getBinary("x-message-bin") ?? []).toString();
  throw new GrpcError(code as GrpcStatusCode, message, { detailsBin: call.metadata.getBinary("x-details-bin") });
}
