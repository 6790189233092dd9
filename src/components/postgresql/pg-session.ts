import { connect, type NetConnectOpts, Socket } from "node:net";
import pg from "pg";
import { CANCEL_MS_MAX, KEEP_ALIVE_MS, RESULT_BYTES_MAX } from "./limits.ts";
import { MessageSplitter } from "./message-splitter.ts";
import type { Endpoint, PostgresSettings } from "./settings-types.ts";
import type { Statement, Wire } from "./statement.ts";

/** What @types/pg leaves out of the classes we build on; all of it is pg 8.23. */
interface ConnectionInternals {
  attachListeners(stream: NodeJS.EventEmitter): void;
  _send(bytes: Uint8Array): boolean;
}
interface ClientInternals {
  getStartupConf(): Record<string, string>;
  readonly processID: number | null;
  readonly secretKey: number | null;
}
type PgConnection = new (config: object) => pg.Connection & ConnectionInternals;

/** pg's connection, with rows and descriptions going to the statement that is under way. */
class SessionConnection extends (pg.Connection as unknown as PgConnection) implements Wire {
  statement: Statement | undefined;
  usesSasl = false;

  constructor(config: object) {
    super(config);
    this.on("parameterDescription", (message: { readonly dataTypeIDs: readonly number[] }) =>
      this.statement?.handleParameterDescription(message),
    );
    this.on("noData", () => this.statement?.handleNoData());
    this.on("authenticationSASL", () => {
      this.usesSasl = true;
    });
  }

  override attachListeners(stream: NodeJS.EventEmitter): void {
    const splitter = new MessageSplitter((row) => this.statement?.handleDataRow({ row }), RESULT_BYTES_MAX);
    super.attachListeners(splitter);
    stream.on("data", (chunk: Buffer) => {
      try {
        splitter.push(chunk);
      } catch (error) {
        this.stream.destroy(error as Error);
      }
    });
  }

  sendRaw(bytes: Uint8Array): void {
    this._send(bytes);
  }

  declare sendCopyFail: (reason: string) => void;
}

/** Where an address is on the network or in the file system. */
function placeOf(address: string, port: number): NetConnectOpts {
  return address.startsWith("/") ? { path: `${address}/.s.PGSQL.${port}` } : { host: address, port };
}

/** A socket whose `connect` goes where it was told when it was made, whatever name the certificate is checked against. */
function socketTo(target: NetConnectOpts): Socket {
  const socket = new Socket();
  const dial = socket.connect.bind(socket);
  return Object.assign(socket, { connect: () => dial(target) });
}

/** The message that cancels; it is the first and only one on its connection. */
const CANCEL_BYTES = 16;
const CANCEL_CODE = 80_877_102;

/** pg's client on one address, not connected yet. It reads nothing from the process's environment. */
export class PgSession {
  readonly client: pg.Client & ClientInternals;
  readonly #connection: SessionConnection;
  readonly #socket: Socket;
  readonly #place: NetConnectOpts;

  constructor(settings: PostgresSettings, endpoint: Endpoint, address: string) {
    const { user, database, password, sessionParameters, directTls } = settings;
    this.#place = placeOf(address, endpoint.port);
    this.#socket = socketTo(this.#place);
    const ssl = endpoint.tls ?? false;
    const sslNegotiation = directTls && ssl !== false ? "direct" : "postgres";
    this.#connection = new SessionConnection({
      stream: this.#socket,
      ssl,
      sslNegotiation,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    const config = {
      connection: this.#connection,
      host: endpoint.host,
      port: endpoint.port,
      user,
      database: database === "" ? user : database,
      // A function, since pg takes an empty text for none and looks elsewhere.
      password: () => password,
      ssl,
      sslnegotiation: sslNegotiation,
      enableChannelBinding: settings.channelBinding && ssl !== false,
    };
    this.client = new pg.Client(config as pg.ClientConfig) as pg.Client & ClientInternals;
    this.client.getStartupConf = () => ({ ...sessionParameters, user, ...(database === "" ? {} : { database }) });
  }

  /** Whether the server asked for SCRAM. */
  get usesSasl(): boolean {
    return this.#connection.usesSasl;
  }

  run(statement: Statement): void {
    this.#connection.statement = statement;
    this.client.query(statement as unknown as pg.Submittable);
  }

  /** Asks the server, over a connection of its own, to end what this one is doing. Nobody learns whether it did. */
  cancel(): void {
    const { processID, secretKey } = this.client;
    if (processID === null || secretKey === null) {
      return;
    }
    const socket = connect(this.#place, () => {
      const message = Buffer.alloc(CANCEL_BYTES);
      message.writeInt32BE(CANCEL_BYTES, 0);
      message.writeInt32BE(CANCEL_CODE, 4);
      message.writeInt32BE(processID, 8);
      message.writeInt32BE(secretKey, 12);
      socket.end(message);
    });
    socket.unref();
    socket.setTimeout(CANCEL_MS_MAX, () => socket.destroy());
    socket.on("error", () => {});
  }

  /** Cuts the connection; what is under way fails. */
  destroy(reason?: Error): void {
    this.#connection.stream.destroy(reason);
    this.#socket.destroy();
  }
}
