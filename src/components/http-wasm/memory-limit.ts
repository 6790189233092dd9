const MEMORY_SECTION = 5;
const HAS_MAXIMUM = 1;
const PREAMBLE_BYTES = 8;

/**
 * The module with a maximum for the memory that it defines (WebAssembly core specification 5.5), since a host cannot limit
 * what a guest exports in any other way.
 * @throws Error for a module that needs more from the start, or whose sections cannot be read
 */
export function limitMemory(module: Uint8Array, pagesMax: number): Uint8Array {
  const reader = new Reader(module, PREAMBLE_BYTES);
  while (!reader.done) {
    const from = reader.at;
    const id = reader.byte();
    const end = reader.leb() + reader.at;
    if (end > module.byteLength) {
      throw new Error("unexpected end of a section");
    }
    if (id === MEMORY_SECTION) {
      const body = memorySection(reader, pagesMax);
      const section = [MEMORY_SECTION, ...leb(body.length), ...body];
      return Buffer.concat([module.subarray(0, from), Buffer.from(section), module.subarray(end)]);
    }
    reader.at = end;
  }
  return module;
}

function memorySection(reader: Reader, pagesMax: number): number[] {
  const count = reader.leb();
  const body = leb(count);
  for (let index = 0; index < count; index += 1) {
    const flags = reader.byte();
    const minimum = reader.leb();
    const maximum = (flags & HAS_MAXIMUM) === 0 ? pagesMax : Math.min(reader.leb(), pagesMax);
    if (minimum > pagesMax) {
      throw new Error(`the guest needs ${minimum} pages of memory, more than the limit of ${pagesMax}`);
    }
    body.push(flags | HAS_MAXIMUM, ...leb(minimum), ...leb(maximum));
  }
  return body;
}

class Reader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.#bytes.byteLength;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) {
      throw new Error("unexpected end of the module");
    }
    this.at += 1;
    return byte;
  }

  /** An unsigned number of at most 32 bits in LEB128. */
  leb(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) {
        return value;
      }
    }
    throw new Error("a number with too many bytes");
  }
}

/** An unsigned number as modules write it (LEB128). */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}
