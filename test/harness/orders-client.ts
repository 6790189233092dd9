import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { ORDERS } from "./orders-app.ts";

const same = (bytes: Buffer): Buffer => bytes;

type Fields = Readonly<Record<string, string>>;

/** What a call of one answer gave. */
export interface OrderAnswer {
  readonly text: string;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

/** Calls `shop.Orders` with grpc-js, which shares no code with the runtime. */
export class OrdersClient implements Disposable {
  readonly #client: Client;

  constructor(port: number | undefined) {
    this.#client = new Client(`127.0.0.1:${port ?? 0}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
  }

  /** @throws ServiceError of grpc-js */
  place(text: string | Buffer, fields: Fields, deadlineMs?: number): Promise<OrderAnswer> {
    return this.cancellable(text, fields, deadlineMs).answer;
  }

  cancellable(
    text: string | Buffer,
    fields: Fields,
    deadlineMs?: number,
  ): { readonly answer: Promise<OrderAnswer>; cancel(): void } {
    const { promise, resolve, reject } = Promise.withResolvers<OrderAnswer>();
    let headers = new Metadata();
    let answer = "";
    const call = this.#client.makeUnaryRequest(
      ORDERS.place.path,
      same,
      same,
      Buffer.from(text),
      metadataOf(fields),
      deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
      (error, value) => {
        if (error === null) answer = value?.toString() ?? "";
        else reject(error);
      },
    );
    call.on("metadata", (given: Metadata) => (headers = given));
    call.on("status", ({ code, metadata }) => {
      if (code === 0) setImmediate(() => resolve({ text: answer, headers, trailers: metadata }));
    });
    return { answer: promise, cancel: () => call.cancel() };
  }

  /** The failure of a call that must fail. */
  async failure(text: string | Buffer, fields: Fields, deadlineMs?: number): Promise<ServiceError> {
    return await this.place(text, fields, deadlineMs).then(
      () => {
        throw new Error("the call was answered, where a failure was expected");
      },
      (error: ServiceError) => error,
    );
  }

  collect(texts: readonly string[], fields: Fields): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        ORDERS.collect.path,
        same,
        same,
        metadataOf(fields),
        (error, value) => (error === null ? resolve(value?.toString() ?? "") : reject(error)),
      );
      for (const text of texts) call.write(Buffer.from(text));
      call.end();
    });
  }

  async repeat(text: string, fields: Fields): Promise<string[]> {
    const { path } = ORDERS.repeat;
    return await textsOf(this.#client.makeServerStreamRequest(path, same, same, Buffer.from(text), metadataOf(fields)));
  }

  /** Sends each message when the answer to the one before has come. */
  async chat(texts: readonly string[], fields: Fields): Promise<string[]> {
    const chat = this.openChat(fields);
    const said: string[] = [];
    for (const text of texts) said.push(await chat.say(text));
    await chat.end();
    return said;
  }

  /** A call of Chat that stays open. */
  openChat(fields: Fields): { say(text: string): Promise<string>; end(): Promise<void> } {
    const call = this.#client.makeBidiStreamRequest(ORDERS.chat.path, same, same, metadataOf(fields));
    const answers = call[Symbol.asyncIterator]();
    return {
      async say(text) {
        call.write(Buffer.from(text));
        return ((await answers.next()).value as Buffer).toString();
      },
      async end() {
        call.end();
        await answers.next();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

async function textsOf(messages: AsyncIterable<unknown>): Promise<string[]> {
  const texts: string[] = [];
  for await (const one of messages) texts.push((one as Buffer).toString());
  return texts;
}

function metadataOf(fields: Fields): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}
