import { leb } from "./memory-limit.ts";

/** Value types and opcodes of WebAssembly that the guests of the tests need. */
const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION = 0x60;
/** Magic number and version. */
const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Parameters and results of the host's functions, in the order that `call` numbers them. */
const HOST: Readonly<Record<string, readonly [number, number[]]>> = {
  enable_features: [1, [I32]],
  get_config: [2, [I32]],
  log: [3, []],
  get_uri: [2, [I32]],
  set_uri: [2, []],
  set_method: [2, []],
  get_header_values: [5, [I64]],
  set_header_value: [5, []],
  add_header_value: [5, []],
  remove_header: [3, []],
  read_body: [3, [I64]],
  write_body: [3, []],
  get_status_code: [0, [I32]],
  set_status_code: [1, []],
};
const HOST_NAMES = Object.keys(HOST);

/** A piece of a function's code. */
export type Code = readonly number[];

/** Code that pushes a number of 32 bits. */
export function i32(value: number): Code {
  return [0x41, ...signedLeb(BigInt(value))];
}

/** Code that pushes a number of 64 bits. */
export function i64(value: bigint): Code {
  return [0x42, ...signedLeb(value)];
}

/** Code that calls a function of the host with what the arguments push. */
export function call(name: string, ...args: readonly Code[]): Code {
  return [...args.flat(), 0x10, HOST_NAMES.indexOf(name)];
}

/** Drops what was pushed last. */
export const DROP: Code = [0x1a];
/** Runs for ever. */
export const FOREVER: Code = [0x03, 0x40, 0x0c, 0x00, 0x0b];
export const TRAP: Code = [0x00];
/** Pushes the low half of the number of 64 bits that was pushed last. */
export const LOW: Code = [0xa7];
/** Pushes the context that `handle_response` was called with, and whether the next handler failed. */
export const CONTEXT: Code = [0x20, 0x00];
export const FAILED: Code = [0x20, 0x01];
/** What `handle_request` returns to go on, with no context, and to stop. */
export const NEXT: Code = i64(1n);
export const STOP: Code = i64(0n);

/** A text in the guest's memory. */
export interface Placed {
  /** Pushes where it is and how long it is. */
  readonly code: Code;
}

/** A guest that is put together from code, with texts in its memory. */
export class GuestBuilder {
  readonly #data: number[] = [];

  text(text: string): Placed {
    const at = this.#data.length;
    const bytes = [...Buffer.from(text)];
    this.#data.push(...bytes);
    return { code: [...i32(at), ...i32(bytes.length)] };
  }

  /** @param request ends with a number of 64 bits; @param pages of memory, at first and at most */
  build(request: Code, response: Code = [], pages: readonly [number, number?] = [1]): Buffer {
    const imports = HOST_NAMES.map((name, index) => [...name1("http_handler"), ...name1(name), 0x00, index]);
    const types = HOST_NAMES.map((name) => {
      const [count, results] = HOST[name] as readonly [number, number[]];
      return [FUNCTION, ...vector(Array.from({ length: count }, () => [I32])), ...vector(results.map((one) => [one]))];
    });
    types.push([FUNCTION, 0, 1, I64], [FUNCTION, 2, I32, I32, 0]);
    const first = HOST_NAMES.length;
    const [minimum, maximum] = pages;
    const exported = [
      [...name1("memory"), 0x02, 0],
      [...name1("handle_request"), 0x00, first],
      [...name1("handle_response"), 0x00, first + 1],
    ];
    return Buffer.from([
      ...PREAMBLE,
      ...section(1, vector(types)),
      ...section(2, vector(imports)),
      ...section(3, vector([[first], [first + 1]])),
      ...section(5, vector([maximum === undefined ? [0, ...leb(minimum)] : [1, ...leb(minimum), ...leb(maximum)]])),
      ...section(7, vector(exported)),
      ...section(10, vector([body(request), body(response)])),
      ...section(11, vector([[0x00, ...i32(0), 0x0b, ...leb(this.#data.length), ...this.#data]])),
    ]);
  }
}

function body(code: Code): number[] {
  const whole = [0, ...code, 0x0b];
  return [...leb(whole.length), ...whole];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function name1(text: string): number[] {
  return [...leb(text.length), ...Buffer.from(text)];
}

function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}
