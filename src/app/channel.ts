import type { GrpcClient } from "../net/grpc/types.ts";
import { callInProcess } from "../net/http/in-process.ts";
import type { HttpClient, HttpHandler } from "../net/http/types.ts";
import { GrpcAppChannel } from "./grpc-channel.ts";
import { HttpAppChannel } from "./http-channel.ts";
import type { AppChannelOptions } from "./options.ts";
import type { AppChannel } from "./types.ts";

/** What the app speaks, and the client that reaches it; the channel owns and closes the client. */
export type AppConnection =
  | { readonly protocol: "http" | "https" | "h2c"; readonly client: HttpClient }
  | { readonly protocol: "in-process"; readonly handler: HttpHandler }
  | { readonly protocol: "grpc" | "grpcs"; readonly client: GrpcClient };

/** The channel to an app over a client that the composition root made for its protocol. */
export function createAppChannel(connection: AppConnection, options: AppChannelOptions): AppChannel {
  switch (connection.protocol) {
    case "grpc":
    case "grpcs":
      return new GrpcAppChannel(connection.protocol, connection.client, options);
    case "in-process": {
      const { handler } = connection;
      const client: HttpClient = {
        request: (request) => callInProcess(handler, request),
        close: () => Promise.resolve(),
      };
      return new HttpAppChannel("in-process", client, options);
    }
    default:
      return new HttpAppChannel(connection.protocol, connection.client, options);
  }
}
