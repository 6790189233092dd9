import { ProtoReader } from "../wire/codecs/proto-reader.ts";
import { ProtoWriter } from "../wire/codecs/proto-writer.ts";
import type { StreamMessage } from "./messages.ts";
import { readPayload, writePayload } from "./payload-codec.ts";

/** Fields of a message of a streamed call, and their tags: its first one carries the head. */
const HEAD = 1;
const PAYLOAD = 2;
const HEAD_TAG = 0x0a;
const PAYLOAD_TAG = 0x12;

/** Bytes that frame head and payload. */
const FRAME_BYTES = 32;

/** How the head of a call, or of its answer, is written. */
export interface HeadFields<H> {
  /** How many bytes it may take. */
  guess(head: H): number;
  write(writer: ProtoWriter, head: H): void;
  read(reader: ProtoReader): H;
}

/** A head on its own, as of a unary call, and the messages of a stream. */
export class HeadCodec<H> {
  readonly #fields: HeadFields<H>;

  constructor(fields: HeadFields<H>) {
    this.#fields = fields;
  }

  readonly encode = (head: H): Uint8Array => {
    const writer = new ProtoWriter(this.#fields.guess(head));
    this.#fields.write(writer, head);
    return writer.finish();
  };

  readonly decode = (bytes: Uint8Array): H => this.#fields.read(new ProtoReader(bytes));

  readonly encodeStream = ({ head, payload, seq }: StreamMessage<H>): Uint8Array => {
    const headBytes = head === undefined ? 0 : this.#fields.guess(head);
    const writer = new ProtoWriter(headBytes + (payload?.byteLength ?? 0) + FRAME_BYTES);
    if (head !== undefined) {
      const mark = writer.begin(HEAD, headBytes);
      this.#fields.write(writer, head);
      writer.end(mark);
    }
    if (payload !== undefined) {
      writePayload(writer, PAYLOAD, payload, seq);
    }
    return writer.finish();
  };

  readonly decodeStream = (bytes: Uint8Array): StreamMessage<H> => {
    const reader = new ProtoReader(bytes);
    let head: H | undefined;
    let payload: { readonly data: Uint8Array; readonly seq: number } | undefined;
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === HEAD_TAG) {
        const outer = reader.enter();
        head = this.#fields.read(reader);
        reader.leave(outer);
      } else if (tag === PAYLOAD_TAG) {
        payload = readPayload(reader);
      } else {
        reader.skip();
      }
    }
    return { head, payload: payload?.data, seq: payload?.seq ?? 0 };
  };
}
