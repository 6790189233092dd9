import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/**
 * Whether bytes are what a careful encoder could write for a message: each known field with its own wire type, each length
 * within what is around it, no number longer than its type, no groups. On such bytes all protobuf decoders agree.
 */
export function isPlainlyEncoded(schema: DescMessage, bytes: Uint8Array): boolean {
  return new Walk(bytes).message(fieldsOf(schema.fields), bytes.length);
}

type FieldKind = "number" | "octets" | { readonly fields: ReadonlyMap<number, FieldKind> };

function fieldsOf(fields: readonly DescField[]): ReadonlyMap<number, FieldKind> {
  return new Map(fields.map((field) => [field.number, kindOf(field)]));
}

function kindOf(field: DescField): FieldKind {
  if (field.fieldKind === "map") {
    return {
      fields: new Map([
        [1, "octets"],
        [2, field.mapKind === "message" ? { fields: fieldsOf(field.message.fields) } : "octets"],
      ]),
    };
  }
  if (field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message")) {
    return { fields: fieldsOf(field.message.fields) };
  }
  const scalar = field.fieldKind === "scalar" ? field.scalar : undefined;
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES ? "octets" : "number";
}

class Walk {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  message(fields: ReadonlyMap<number, FieldKind>, end: number): boolean {
    while (this.at < end) {
      const tag = this.varint(end, 5);
      if (tag === undefined || tag > 0xffffffff || tag < 8) return false;
      if (!this.field(fields.get(Math.floor(tag / 8)), tag % 8, end)) return false;
    }
    return true;
  }

  private field(kind: FieldKind | undefined, wireType: number, end: number): boolean {
    if (kind === "number" && wireType !== 0) return false;
    if (kind !== undefined && kind !== "number" && wireType !== 2) return false;
    if (wireType === 0) return this.varint(end, 9) !== undefined;
    if (wireType === 1 || wireType === 5) return this.pass(wireType === 1 ? 8 : 4, end);
    if (wireType !== 2) return false;
    const length = this.varint(end, 4);
    if (length === undefined) return false;
    if (typeof kind !== "object") return this.pass(length, end);
    const inner = this.at + length;
    return inner <= end && this.message(kind.fields, inner) && this.at === inner;
  }

  private pass(length: number, end: number): boolean {
    this.at += length;
    return this.at <= end;
  }

  private varint(end: number, bytesMax: number): number | undefined {
    let value = 0;
    for (let count = 0; count < bytesMax && this.at < end; count += 1) {
      const byte = this.bytes[this.at] as number;
      this.at += 1;
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) return value;
    }
    return undefined;
  }
}
