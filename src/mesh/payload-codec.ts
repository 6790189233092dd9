import type { ProtoReader } from "../wire/codecs/proto-reader.ts";
import type { ProtoWriter } from "../wire/codecs/proto-writer.ts";

/** Fields of `dapr.proto.common.v1.StreamPayload`, and their tags. */
const DATA = 1;
const SEQ = 2;
const DATA_TAG = 0x0a;
const SEQ_TAG = 0x10;

const NO_BYTES = new Uint8Array(0);

export function writePayload(writer: ProtoWriter, field: number, data: Uint8Array, seq: number): void {
  const mark = writer.begin(field, data.byteLength + 8);
  writer.octets(DATA, data);
  writer.uint(SEQ, seq);
  writer.end(mark);
}

export function readPayload(reader: ProtoReader): { readonly data: Uint8Array; readonly seq: number } {
  let data: Uint8Array = NO_BYTES;
  let seq = 0;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === DATA_TAG) {
      data = reader.octets();
    } else if (tag === SEQ_TAG) {
      seq = reader.uint();
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
  return { data, seq };
}
