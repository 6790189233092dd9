import type { WasmMemory } from "./webassembly.ts";

/** A guest's exported memory, read and written within its bounds. */
export class GuestMemory {
  memory: WasmMemory | undefined;

  /** A view of guest memory, good until the guest runs again. @throws Error beyond the memory's end */
  bytes(offset: number, length: number): Uint8Array {
    const from = offset >>> 0;
    const size = length >>> 0;
    const buffer = this.memory?.buffer ?? new ArrayBuffer(0);
    if (from + size > buffer.byteLength) {
      throw new Error("out of memory");
    }
    return new Uint8Array(buffer, from, size);
  }

  view(): DataView {
    return new DataView(this.memory?.buffer ?? new ArrayBuffer(0));
  }

  text(offset: number, length: number): string {
    return Buffer.from(this.bytes(offset, length)).toString();
  }

  /** Writes a text where it fits into the limit. @returns its length in bytes, fit or not */
  writeText(text: string, offset: number, limit: number): number {
    const bytes = Buffer.from(text);
    if (bytes.byteLength > 0 && bytes.byteLength <= limit >>> 0) {
      this.bytes(offset, bytes.byteLength).set(bytes);
    }
    return bytes.byteLength;
  }

  /** Writes texts, each with a NUL behind it, where all fit. @returns their count and their bytes as the ABI packs them */
  writeTexts(texts: readonly string[], offset: number, limit: number): bigint {
    const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(""));
    if (bytes.byteLength > 0 && bytes.byteLength <= limit >>> 0) {
      this.bytes(offset, bytes.byteLength).set(bytes);
    }
    return (BigInt(texts.length) << 32n) | BigInt(bytes.byteLength);
  }
}
