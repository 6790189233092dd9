import type { Any } from "@bufbuild/protobuf/wkt";
import type { ProtoReader } from "./proto-reader.ts";
import type { ProtoWriter } from "./proto-writer.ts";

const NO_BYTES = new Uint8Array(0);

/** A field that is a `google.protobuf.Any`. @param before the same field earlier in the message */
export function readAny(reader: ProtoReader, before: Any | undefined): Any {
  let typeUrl = before?.typeUrl ?? "";
  let value: Uint8Array = before?.value ?? NO_BYTES;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) typeUrl = reader.text();
    else if (tag === 0x12) value = reader.octets();
    else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "google.protobuf.Any", typeUrl, value };
}

export function writeAny(writer: ProtoWriter, field: number, { typeUrl, value }: Any): void {
  const mark = writer.begin(field, typeUrl.length + value.length);
  writer.text(1, typeUrl);
  if (value.length > 0) writer.octets(2, value);
  writer.end(mark);
}

/** Bytes that it takes at most, its own tag and length apart. */
export function anyGuess(any: Any | undefined): number {
  return any === undefined ? 0 : any.typeUrl.length * 3 + any.value.length;
}
