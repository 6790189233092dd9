import type pg from "pg";
import { ComponentError } from "../spi/errors.ts";
import { serverError } from "./errors.ts";
import { RESULT_BYTES_MAX } from "./limits.ts";
import type { RowBytes } from "./message-splitter.ts";
import { encodeParameters, type Parameter } from "./parameters.ts";
import { ValueError, type ValueWriter, writeText } from "./scalars.ts";
import { type Format, POSTGRES_TYPES, TEXT } from "./types.ts";

/** What the server says about a statement: the types of its parameters, and those of its columns. */
export interface Description {
  readonly parameterOids: readonly number[];
  readonly columnOids: readonly number[];
}

/** What came of a statement: its rows as a JSON array of arrays, and how many rows it is about. */
export interface Outcome {
  readonly rows: string;
  readonly rowsAffected: number;
}

/** The part of pg's connection that statements write to; the one we use is `pg-session.ts`'s. */
export interface Wire extends pg.Connection {
  sendRaw(bytes: Uint8Array): void;
  sendCopyFail(reason: string): void;
}

/**
 * One statement under way, with the methods that pg's client calls. It settles once; whether the connection can be used
 * after a failure is the client's business.
 */
export abstract class Statement {
  readonly outcome: Promise<Outcome>;
  #resolve!: (outcome: Outcome) => void;
  #reject!: (error: Error) => void;
  #rows: string[] = [];
  #bytes = 0;
  #writers: readonly ValueWriter[] = [];
  #rowsAffected = 0;
  #failure: Error | undefined;

  constructor() {
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  abstract submit(wire: Wire): void;

  /** Called by pg's client with what a Describe or a simple query brings. */
  abstract handleRowDescription(message: { readonly fields: readonly pg.FieldDef[] }): void;
  handleParameterDescription(_message: { readonly dataTypeIDs: readonly number[] }): void {}
  handleNoData(): void {}

  handleDataRow({ row }: { readonly row: RowBytes }): void {
    if (this.#failure !== undefined) {
      return;
    }
    try {
      const text = writeRow(row, this.#writers);
      this.#bytes += text.length;
      if (this.#bytes > RESULT_BYTES_MAX) {
        throw new ComponentError(
          "invalidRequest",
          `error serializing results: the answer is larger than the limit of ${RESULT_BYTES_MAX} bytes`,
        );
      }
      this.#rows.push(text);
    } catch (error) {
      this.#rows = [];
      this.fail(rowError(error));
    }
  }

  /** pgx's rule: the number at the end of the last command's tag. */
  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rowsAffected = Number(/[0-9]+$/.exec(text)?.[0] ?? 0);
  }

  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyData(): void {}

  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail("no data can be given to COPY here");
  }

  handleError(error: Error, _wire: Wire): void {
    this.#reject(this.#failure ?? serverError(error));
  }

  handleReadyForQuery(): void {
    if (this.#failure === undefined) {
      this.#resolve({ rows: `[${this.#rows.join(",")}]`, rowsAffected: this.#rowsAffected });
    } else {
      this.#reject(this.#failure);
    }
  }

  /** Remembers the first failure on our side; it is told when the server is ready again. */
  protected fail(error: Error): void {
    this.#failure ??= error;
  }

  protected set writers(writers: readonly ValueWriter[]) {
    this.#writers = writers;
  }
}

function writeRow(row: RowBytes, writers: readonly ValueWriter[]): string {
  const count = row.readInt16BE(0);
  let text = "[";
  let at = 2;
  for (let index = 0; index < count; index += 1) {
    const length = row.readInt32BE(at);
    at += 4;
    if (index > 0) {
      text += ",";
    }
    if (length < 0) {
      text += "null";
    } else {
      text += (writers[index] ?? writeText)(row.subarray(at, at + length));
      at += length;
    }
  }
  return `${text}]`;
}

function rowError(error: unknown): Error {
  if (error instanceof ValueError) {
    const { message } = error;
    return new ComponentError(
      "invalidRequest",
      error.stage === "reading"
        ? `error reading result '${message}': ${message}`
        : `error serializing results: ${message}`,
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** One text with any number of statements and no parameters. Its rows are not read, only the last command's count. */
export class SimpleStatement extends Statement {
  readonly #sql: string;

  constructor(sql: string) {
    super();
    this.#sql = sql;
  }

  override submit(wire: Wire): void {
    wire.query(this.#sql);
  }

  override handleRowDescription(): void {}
  override handleDataRow(): void {}
}

export interface ExtendedStatementOptions {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** The name to prepare it under; empty: none, it is gone with the next one. */
  readonly name: string;
  /** Set when the server has it prepared under that name. */
  readonly description: Description | undefined;
  /** Prepared names that are no longer wanted. */
  readonly dispose: readonly string[];
  /** Encoded already: for modes in which the server is not asked for types. */
  readonly parameters: readonly Parameter[] | undefined;
  /** What to say when the number of values is not that of the parameters. */
  readonly countError: (wanted: number, given: number) => string;
  readonly onDescription: (description: Description) => void;
}

/**
 * One statement with parameters. The server first describes it, unless that is known; the answer says how to write the
 * parameters and in which format to ask for each column. Between the two the server is not told to synchronise, so a
 * proxy that lends out servers by the transaction does not change the server in between.
 */
export class ExtendedStatement extends Statement {
  readonly #options: ExtendedStatementOptions;
  #wire!: Wire;
  #parameterOids: readonly number[] = [];
  #synchronised = false;

  constructor(options: ExtendedStatementOptions) {
    super();
    this.#options = options;
  }

  override submit(wire: Wire): void {
    const { name, sql, description, dispose } = this.#options;
    this.#wire = wire;
    // Messages that belong together leave in one packet.
    wire.stream.cork();
    for (const old of dispose) {
      wire.close({ type: "S", name: old }, true);
    }
    if (description === undefined) {
      wire.parse({ name, text: sql, types: [] }, true);
      wire.describe({ type: "S", name }, true);
      wire.flush();
    } else {
      this.#run(description);
    }
    wire.stream.uncork();
  }

  override handleParameterDescription({ dataTypeIDs }: { readonly dataTypeIDs: readonly number[] }): void {
    this.#parameterOids = dataTypeIDs;
  }

  override handleRowDescription({ fields }: { readonly fields: readonly pg.FieldDef[] }): void {
    this.#described(fields.map((field) => field.dataTypeID));
  }

  override handleNoData(): void {
    this.#described([]);
  }

  override handleCopyInResponse(wire: Wire): void {
    super.handleCopyInResponse(wire);
    // The one that was sent before was swallowed as part of the copy.
    wire.sync();
  }

  override handleError(error: Error, wire: Wire): void {
    if (!this.#synchronised) {
      this.#synchronised = true;
      wire.sync();
    }
    super.handleError(error, wire);
  }

  #described(columnOids: readonly number[]): void {
    const description = { parameterOids: this.#parameterOids, columnOids };
    this.#options.onDescription(description);
    this.#run(description);
  }

  #run({ parameterOids, columnOids }: Description): void {
    const { name, values, parameters: encoded, countError } = this.#options;
    this.#wire.stream.cork();
    const types = columnOids.map((oid) => POSTGRES_TYPES.get(oid));
    this.writers = types.map((type) => type?.write ?? writeText);
    try {
      if (values.length !== parameterOids.length) {
        throw new ComponentError("invalidRequest", countError(parameterOids.length, values.length));
      }
      const parameters = encoded ?? encodeParameters(parameterOids, values);
      const formats = types.map((type) => type?.format ?? TEXT);
      this.#wire.sendRaw(bindMessage(name, parameters, formats));
      this.#wire.execute({ portal: "" }, true);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
    this.#synchronised = true;
    this.#wire.sync();
    this.#wire.stream.uncork();
  }
}

const BIND = 0x42;
const INT16 = 2;
const INT32 = 4;

/** pg can only ask for all columns in one format; this asks for each in its own. */
function bindMessage(name: string, parameters: readonly Parameter[], formats: readonly Format[]): Buffer {
  const nameBytes = Buffer.byteLength(name);
  let size = INT32 + 1 + nameBytes + 1 + INT16 + INT16 + INT16 + INT16 * formats.length;
  for (const parameter of parameters) {
    size += INT32 + (parameter === null ? 0 : Buffer.byteLength(parameter));
  }
  const message = Buffer.allocUnsafe(1 + size);
  let at = message.writeUInt8(BIND, 0);
  at = message.writeUInt32BE(size, at);
  at = message.writeUInt8(0, at);
  at += message.write(name, at);
  at = message.writeUInt8(0, at);
  // No formats: all parameters are text.
  at = message.writeUInt16BE(0, at);
  at = message.writeUInt16BE(parameters.length, at);
  for (const parameter of parameters) {
    if (parameter === null) {
      at = message.writeInt32BE(-1, at);
    } else {
      const bytes = message.write(parameter, at + INT32);
      message.writeInt32BE(bytes, at);
      at += INT32 + bytes;
    }
  }
  at = message.writeUInt16BE(formats.length, at);
  for (const format of formats) {
    at = message.writeUInt16BE(format, at);
  }
  return message;
}
