import type { ProtoReader } from "./proto-reader.ts";
import type { ProtoWriter } from "./proto-writer.ts";

/** Fields of `dapr.proto.common.v1.StreamPayload`. */
const DATA = 1;
const SEQ = 2;

const NO_BYTES = new Uint8Array(0);

export function writePayload(writer: ProtoWriter, field: number, data: Uint8Array, seq: number): void {
  const mark = writer.begin(field, data.byteLength + 8);
  writer.bytes(DATA, data);
  writer.uint(SEQ, seq);
  writer.end(mark);
}

export function readPayload(reader: ProtoReader): { readonly data: Uint8Array; readonly seq: number } {
  let data: Uint8Array = NO_BYTES;
  let seq = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === DATA) {
      data = reader.bytes();
    } else if (field === SEQ) {
      seq = reader.uint();
    } else {
      reader.skip();
    }
  }
  return { data, seq };
}
