import { connect as connectTls } from "node:tls";
import { type AppConnection, createAppChannel } from "../app/channel.ts";
import { appDialer } from "../app/dial.ts";
import type { AppChannelOptions } from "../app/options.ts";
import type { AppChannel } from "../app/types.ts";
import type { DialApp } from "../app/wait.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import type { Transport } from "../net/h2/transport.ts";
import { createHttpClient } from "../net/http/client.ts";
import { createH2HttpClient } from "../net/http/h2-client.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { messageBytesMax, type SidecarOptions } from "./options.ts";

/** An app and how to find out that it is there. */
export interface AppConnectionParts {
  readonly channel: AppChannel;
  readonly dial: DialApp;
}

type ChannelSettings = Pick<AppChannelOptions, "clock" | "random" | "logger" | "isHealthy">;

/** The channel to the app that the options name, or to the function of an embedded app; undefined when there is neither. */
export function connectApp(
  options: SidecarOptions,
  handler: HttpHandler | undefined,
  transport: Transport,
  settings: ChannelSettings,
): AppConnectionParts | undefined {
  const port = options.appPort;
  if (handler === undefined && port === undefined) {
    return undefined;
  }
  const host = options.appChannelAddress;
  const secure = options.appProtocol === "https" || options.appProtocol === "grpcs";
  const connection: AppConnection = handler === undefined ? connectionTo(options, `${host}:${port}`, transport) : { protocol: "in-process", handler };
  const channel = createAppChannel(connection, {
    ...settings,
    appId: options.appId,
    address: addressText(connection.protocol, `${host}:${port ?? 0}`),
    appToken: options.appToken,
    maxConcurrency: options.appMaxConcurrency,
    healthPath: options.appHealth.path,
    maxBodyBytes: options.maxBodyBytes,
  });
  return { channel, dial: handler === undefined ? appDialer(host, port ?? 0, secure) : () => Promise.resolve(true) };
}

/** Apps behind TLS use certificates of their own making: what they present is not checked, as in Dapr. */
function connectionTo(options: SidecarOptions, authority: string, transport: Transport): AppConnection {
  switch (options.appProtocol) {
    case "http":
      return { protocol: "http", client: createHttpClient(`http://${authority}`) };
    case "https":
      return { protocol: "https", client: createHttpClient(`https://${authority}`, { rejectUnauthorized: false }) };
    case "h2c":
      return { protocol: "h2c", client: createH2HttpClient(transport, authority) };
    case "grpc":
      return { protocol: "grpc", client: createGrpcClient(transport, authority, { messageBytesMax: messageBytesMax(options.maxBodyBytes) }) };
    case "grpcs":
      return {
        protocol: "grpcs",
        client: createGrpcClient(transport, authority, {
          messageBytesMax: messageBytesMax(options.maxBodyBytes),
          transport: {
            connect: () =>
              connectTls({ host: options.appChannelAddress, port: options.appPort ?? 0, rejectUnauthorized: false, ALPNProtocols: ["h2"] }),
          },
        }),
      };
  }
}

function addressText(protocol: AppConnection["protocol"], authority: string): string {
  switch (protocol) {
    case "grpc":
    case "grpcs":
      return authority;
    case "https":
      return `https://${authority}`;
    default:
      return `http://${authority}`;
  }
}
