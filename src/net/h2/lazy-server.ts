import type { Socket } from "node:net";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { TransportServer } from "./transport.ts";

/**
 * A server that is made with its first connection, for doors whose code costs start-up time and memory that a sidecar
 * without such callers never needs. Sockets that come meanwhile wait unread; when the server cannot be made they are cut off.
 */
export function lazyServer(create: () => Promise<TransportServer>): TransportServer {
  return new LazyServer(create);
}

class LazyServer implements TransportServer {
  private readonly create: () => Promise<TransportServer>;
  private server: TransportServer | undefined;
  private loading: Promise<void> | undefined;
  private readonly waiting: { readonly socket: Socket; readonly peerId: SpiffeId | undefined }[] = [];

  constructor(create: () => Promise<TransportServer>) {
    this.create = create;
  }

  accept(socket: Socket, peerId?: SpiffeId): void {
    if (this.server !== undefined) return this.server.accept(socket, peerId);
    this.waiting.push({ socket, peerId });
    this.loading ??= this.load();
  }

  renew(): void {
    this.server?.renew();
  }

  async close(graceMs: number): Promise<void> {
    await this.loading;
    await this.server?.close(graceMs);
  }

  private async load(): Promise<void> {
    try {
      this.server = await this.create();
    } catch {
      this.loading = undefined;
    }
    for (const { socket, peerId } of this.waiting.splice(0)) {
      if (this.server === undefined) socket.destroy();
      else this.server.accept(socket, peerId);
    }
  }
}
