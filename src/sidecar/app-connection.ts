import { AppPassage, type AppPassageOptions } from "../app/app-passage.ts";
import { appDialer } from "../app/dial.ts";
import type { GrpcAppChannel } from "../app/grpc-channel.ts";
import { HttpAppChannel } from "../app/http-channel.ts";
import type { AppChannelOptions } from "../app/options.ts";
import type { AppChannel } from "../app/types.ts";
import type { DialApp } from "../app/wait.ts";
import { tls } from "../kit/lazy-builtins.ts";
import type { GrpcClientObserver } from "../net/grpc/client-observer.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import type { Transport, TransportClientOptions } from "../net/h2/transport.ts";
import { callInProcess } from "../net/http/in-process.ts";
import type { HttpClient, HttpHandler } from "../net/http/types.ts";
import { messageBytesMax, type SidecarOptions } from "./options.ts";

/** An app and how to find out that it is there. */
export interface AppConnectionParts {
  readonly channel: AppChannel;
  readonly dial: DialApp;
  /** For calls of methods of the app's own; an app in this process has no port for them. */
  readonly passage?: AppPassage;
}

/** Connections to a gRPC app, each with as many calls as the app lets it have. */
const APP_CONNECTIONS_MAX = 16;

type ChannelSettings = Pick<
  AppChannelOptions,
  "clock" | "logger" | "isHealthy" | "observer" | "initRetries" | "pipeline"
> & {
  readonly grpcObserver?: GrpcClientObserver | undefined;
};

/**
 * The channel to the app that the options name, or to the function of an embedded app; undefined when there is neither.
 * Only what the app's protocol needs is loaded.
 */
export async function connectApp(
  options: SidecarOptions,
  handler: HttpHandler | undefined,
  transport: Transport,
  settings: ChannelSettings,
): Promise<AppConnectionParts | undefined> {
  if (handler !== undefined) {
    const client: HttpClient = {
      request: (request) => callInProcess(handler, request),
      close: () => Promise.resolve(),
    };
    const channel = new HttpAppChannel("in-process", client, channelOptions(options, settings, "http://in-process"));
    return { channel, dial: () => Promise.resolve("there") };
  }
  const port = options.appPort;
  if (port === undefined) {
    return undefined;
  }
  const authority = `${options.appChannelAddress}:${port}`;
  const secure = options.appProtocol === "https" || options.appProtocol === "grpcs";
  const dial = appDialer(options.appChannelAddress, port, secure);
  const passageOf = (channel: GrpcAppChannel | HttpAppChannel, connect: AppPassageOptions["connect"]): AppPassage =>
    new AppPassage({ connect, appToken: options.appToken, limit: channel.limit, isHealthy: settings.isHealthy });
  switch (options.appProtocol) {
    case "grpc":
    case "grpcs": {
      const { GrpcAppChannel } = await import("../app/grpc-channel.ts");
      const client = await grpcClient(options, authority, transport, settings);
      const channel = new GrpcAppChannel(options.appProtocol, client, channelOptions(options, settings, authority));
      return { channel, dial, passage: passageOf(channel, () => client) };
    }
    default: {
      const address = `${secure ? "https" : "http"}://${authority}`;
      const client = await httpClient(options, authority, transport);
      const channel = new HttpAppChannel(options.appProtocol, client, channelOptions(options, settings, address));
      return { channel, dial, passage: passageOf(channel, () => grpcClient(options, authority, transport, settings)) };
    }
  }
}

/** Apps behind TLS use certificates of their own making: what they present is not checked, as in Dapr. */
async function httpClient(options: SidecarOptions, authority: string, transport: Transport): Promise<HttpClient> {
  if (options.appProtocol === "h2c") {
    const { createH2HttpClient } = await import("../net/http/h2-client.ts");
    return createH2HttpClient(transport, authority);
  }
  const { createHttpClient } = await import("../net/http/client.ts");
  return options.appProtocol === "https"
    ? createHttpClient(`https://${authority}`, { rejectUnauthorized: false, acceptsShortBodies: true })
    : createHttpClient(`http://${authority}`, { acceptsShortBodies: true });
}

async function grpcClient(
  options: SidecarOptions,
  authority: string,
  transport: Transport,
  settings: ChannelSettings,
): Promise<GrpcClient> {
  const { createGrpcClient } = await import("../net/grpc/client.ts");
  const secure = options.appProtocol === "grpcs" || options.appProtocol === "https";
  return createGrpcClient(transport, authority, {
    messageBytesMax: messageBytesMax(options.maxBodyBytes),
    observer: settings.grpcObserver,
    scheme: secure ? "https" : "http",
    transport: { connectionsMax: APP_CONNECTIONS_MAX, ...(secure ? tlsTransport(options) : {}) },
  });
}

function tlsTransport(options: SidecarOptions): TransportClientOptions {
  return {
    connect: () =>
      tls().connect({
        host: options.appChannelAddress,
        port: options.appPort ?? 0,
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
      }),
  };
}

function channelOptions(options: SidecarOptions, settings: ChannelSettings, address: string): AppChannelOptions {
  return {
    ...settings,
    appId: options.appId,
    address,
    appToken: options.appToken,
    maxConcurrency: options.appMaxConcurrency,
    healthPath: options.appHealth.path,
    maxBodyBytes: options.maxBodyBytes,
  };
}
