import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { methodOf } from "../../src/net/grpc/protobuf.ts";
import type { MtlsOptions } from "../../src/sidecar/options.ts";
import {
  CA,
  SignCertificateRequestSchema,
  type SignCertificateResponse,
} from "../../src/wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { metricOf, type Program, roleFlags, startOutrigger, whileRunning } from "./outrigger-program.ts";
import { configuration, type Folder, temporaryFolder } from "./resources.ts";

const method = methodOf(CA.method.signCertificate);

/** `outrigger sentry` in a process of its own, with credentials that it has made for this run. */
export interface SentryProgram extends AsyncDisposable {
  readonly program: Program;
  /** What a sidecar of this sentry is started with. */
  readonly mtls: MtlsOptions;
  /** Where its credentials are. */
  readonly folder: Folder;
  readonly healthPort: number;
  readonly port: number;
  /** The OIDC server's, where it was turned on. */
  oidcPort(): Promise<number>;
  /** One request over gRPC. @throws ServiceError */
  sign(request: MessageInitShape<typeof SignCertificateRequestSchema>): Promise<SignCertificateResponse>;
  /** The value of one of its metrics, with its labels; undefined where there is none. */
  metric(series: string): Promise<number | undefined>;
}

export interface SentryProgramOptions {
  /** `spec` of its Configuration. */
  readonly spec?: string;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Credentials to start with, by file name. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function startSentryProgram(options: SentryProgramOptions = {}): Promise<SentryProgram> {
  const { spec, flags = [], env, files = {} } = options;
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await folder.write(name, text);
  }
  const config = await folder.write("config.txt", spec === undefined ? "" : configuration(spec));
  const program = startOutrigger(
    [
      "sentry",
      `--config=${config}`,
      `--issuer-credentials=${folder.path}`,
      "--trust-domain=localhost",
      ...roleFlags(0, 0, 0),
      ...flags,
    ],
    { cwd: folder.path, ...(env === undefined ? {} : { env }) },
  );
  const dispose = async (): Promise<void> => {
    await program[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  try {
    const port = await whileRunning("sentry", program, portIn(program, "Running gRPC server on port "));
    const healthPort = await portIn(program, "Healthz server is listening on 127.0.0.1:");
    const metricsPort = await portIn(program, "metrics server started on 127.0.0.1:");
    const trustAnchors = await readFile(join(folder.path, "ca.crt"), "utf8");
    return {
      program,
      folder,
      port,
      healthPort,
      mtls: {
        sentryAddress: `127.0.0.1:${port}`,
        controlPlane: { trustDomain: "localhost", namespace: env?.["NAMESPACE"] ?? "default" },
        trustAnchors,
        jwtAudiences: [],
        localIdentity: "",
        tokenFile: undefined,
      },
      oidcPort: () => portIn(program, "Starting OIDC HTTP server", /Starting OIDC HTTP server.* on [^"]*:(\d+)/),
      sign: (request) => sign(port, folder, request),
      metric: (series) => metricOf(metricsPort, series),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function portIn(program: Program, text: string, pattern = new RegExp(`${text}(\\d+)`)): Promise<number> {
  const [, port] = pattern.exec(await program.says(text)) ?? [];
  return Number(port);
}

/** Trusts the anchors that are in the folder now; identities are not looked at, which grpc-js cannot. */
async function sign(
  port: number,
  folder: Folder,
  request: MessageInitShape<typeof SignCertificateRequestSchema>,
): Promise<SignCertificateResponse> {
  const anchors = await readFile(join(folder.path, "ca.crt"));
  const channel = credentials.createSsl(anchors, null, null, { checkServerIdentity: () => undefined });
  const client = new Client(`127.0.0.1:${port}`, channel, { "grpc.ssl_target_name_override": "localhost" });
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from(method.encodeRequest(create(SignCertificateRequestSchema, request))),
        (error: ServiceError | null, bytes) => {
          if (error === null && bytes !== undefined) resolve(method.decodeResponse(bytes));
          else reject(error ?? new Error("no answer"));
        },
      );
    });
  } finally {
    client.close();
  }
}
