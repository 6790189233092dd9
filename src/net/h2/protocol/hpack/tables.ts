import { staticIndex } from "./encoder.ts";
import { HuffmanDecoder } from "./huffman.ts";

/** Tables that all connections share. */
export interface HpackTables {
  readonly huffman: HuffmanDecoder;
  readonly staticIndex: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** What nothing changes any more: made once for a transport. */
export function makeHpackTables(): HpackTables {
  return { huffman: new HuffmanDecoder(), staticIndex: staticIndex() };
}
