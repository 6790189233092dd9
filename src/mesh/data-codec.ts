import type { ProtoReader } from "../wire/codecs/proto-reader.ts";
import type { ProtoWriter } from "../wire/codecs/proto-writer.ts";

/** Fields of `google.protobuf.Any`, and their tags. */
const TYPE_URL = 1;
const VALUE = 2;
const TYPE_URL_TAG = 0x0a;
const VALUE_TAG = 0x12;

const NO_BYTES = new Uint8Array(0);

/** What a message of a call carries. */
export interface CarriedData {
  readonly typeUrl: string;
  /** Undefined: none, unlike an empty body. */
  readonly data: Uint8Array | undefined;
}

/** Writes nothing where there is neither data nor type. */
export function writeData(writer: ProtoWriter, field: number, { typeUrl, data }: CarriedData): void {
  if (data === undefined && typeUrl === "") {
    return;
  }
  const mark = writer.begin(field, data?.byteLength ?? 0);
  writer.text(TYPE_URL, typeUrl);
  writer.octets(VALUE, data ?? NO_BYTES);
  writer.end(mark);
}

export function readData(reader: ProtoReader, fields: { typeUrl: string; data: Uint8Array | undefined }): void {
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TYPE_URL_TAG) {
      fields.typeUrl = reader.text();
    } else if (tag === VALUE_TAG) {
      fields.data = reader.octets();
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
}
