import type { SqlValue } from "./engine.ts";
import { PARAMS_MAX, STEPS_MAX } from "./limits.ts";

/** A step as it crosses to the writer: the statement by its position among the engine's statements. */
export interface PackedStep {
  readonly statement: number;
  readonly params: readonly SqlValue[];
  readonly mustChange: boolean;
}

const FIRST_BYTES = 4_096;
const LENGTH_BYTES = 4;
const STEP_HEAD_BYTES = 3;
/** A tag, and a number or a length. */
const PARAM_HEAD_BYTES = 9;
/** UTF-16 units become at most three bytes of UTF-8 each. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

const TAG = { null: 0, number: 1, bigint: 2, text: 3, bytes: 4 } as const;

/**
 * Collects writes as bytes, so that any number of them crosses to another thread as one buffer. Layout, little-endian:
 * per write the number of steps (u16); per step statement (u8), mustChange (u8), number of parameters (u8); per parameter
 * a tag (u8) and its value, text and bytes with their length (u32) before them.
 */
export class PacketWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  beginWrite(steps: number): void {
    if (steps > STEPS_MAX) {
      throw new RangeError(`a write has ${steps} steps; at most ${STEPS_MAX} are possible`);
    }
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16LE(steps, this.#length);
  }

  addStep(statement: number, mustChange: boolean, params: readonly SqlValue[]): void {
    if (params.length > PARAMS_MAX) {
      throw new RangeError(`a statement has ${params.length} parameters; at most ${PARAMS_MAX} are possible`);
    }
    this.#reserve(STEP_HEAD_BYTES);
    const buffer = this.#buffer;
    buffer[this.#length] = statement;
    buffer[this.#length + 1] = mustChange ? 1 : 0;
    buffer[this.#length + 2] = params.length;
    this.#length += STEP_HEAD_BYTES;
    for (const param of params) {
      this.#addParam(param);
    }
  }

  /** Forgets what was added after the packet had this many bytes. */
  truncate(byteLength: number): void {
    this.#length = byteLength;
  }

  /** The packet so far; the writer starts another one, of the size that this one took. */
  take(): ArrayBuffer {
    const taken = this.#buffer;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, this.#length));
    this.#length = 0;
    return taken.buffer;
  }

  #addParam(param: SqlValue): void {
    if (typeof param === "string") {
      this.#reserve(PARAM_HEAD_BYTES + param.length * UTF8_BYTES_PER_UNIT_MAX);
      this.#buffer[this.#length] = TAG.text;
      const written = this.#buffer.write(param, this.#length + 1 + LENGTH_BYTES);
      this.#buffer.writeUInt32LE(written, this.#length + 1);
      this.#length += 1 + LENGTH_BYTES + written;
      return;
    }
    if (param === null || typeof param === "number" || typeof param === "bigint") {
      this.#reserve(PARAM_HEAD_BYTES);
      this.#addScalar(param);
      return;
    }
    this.#reserve(PARAM_HEAD_BYTES + param.length);
    this.#buffer[this.#length] = TAG.bytes;
    this.#length = this.#buffer.writeUInt32LE(param.length, this.#length + 1);
    this.#buffer.set(param, this.#length);
    this.#length += param.length;
  }

  #addScalar(param: null | number | bigint): void {
    const buffer = this.#buffer;
    const at = this.#length;
    if (param === null) {
      buffer[at] = TAG.null;
      this.#length = at + 1;
    } else if (typeof param === "number") {
      buffer[at] = TAG.number;
      this.#length = buffer.writeDoubleLE(param, at + 1);
    } else {
      buffer[at] = TAG.bigint;
      this.#length = buffer.writeBigInt64LE(param, at + 1);
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
  }
}

/** The writes of a packet. Byte parameters are parts of the packet: it must not change while they are used. */
export function writesOf(packet: ArrayBuffer, byteLength: number): PackedStep[][] {
  const reader = new PacketReader(Buffer.from(packet, 0, byteLength));
  const writes: PackedStep[][] = [];
  while (!reader.done) {
    writes.push(reader.write());
  }
  return writes;
}

class PacketReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get done(): boolean {
    return this.#at >= this.#buffer.length;
  }

  write(): PackedStep[] {
    const steps: PackedStep[] = [];
    const count = this.#buffer.readUInt16LE(this.#at);
    this.#at += 2;
    for (let index = 0; index < count; index += 1) {
      steps.push(this.#step());
    }
    return steps;
  }

  #step(): PackedStep {
    const statement = this.#byte();
    const mustChange = this.#byte() === 1;
    const count = this.#byte();
    const params: SqlValue[] = [];
    for (let index = 0; index < count; index += 1) {
      params.push(this.#param());
    }
    return { statement, params, mustChange };
  }

  #param(): SqlValue {
    const tag = this.#byte();
    const at = this.#at;
    switch (tag) {
      case TAG.null:
        return null;
      case TAG.number:
        this.#at += 8;
        return this.#buffer.readDoubleLE(at);
      case TAG.bigint:
        this.#at += 8;
        return this.#buffer.readBigInt64LE(at);
      default: {
        const start = at + LENGTH_BYTES;
        this.#at = start + this.#buffer.readUInt32LE(at);
        return tag === TAG.text
          ? this.#buffer.toString("utf8", start, this.#at)
          : this.#buffer.subarray(start, this.#at);
      }
    }
  }

  #byte(): number {
    const value = this.#buffer[this.#at] ?? 0;
    this.#at += 1;
    return value;
  }
}
