import fc from "fast-check";
import { expect, it } from "vitest";
import { MessageSplitter } from "./message-splitter.ts";

const BYTES_MAX = 10_000;

function message(kind: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.write(kind, 0, "latin1");
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

const anyMessage = fc.record({ kind: fc.constantFrom("D", "C", "Z", "T"), body: fc.uint8Array({ maxLength: 300 }) });

it("messages come out whole and in their order, however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(anyMessage, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (messages, cuts) => {
        const out: string[] = [];
        const splitter = new MessageSplitter((row) => void out.push(`D${row.toString("hex")}`), BYTES_MAX);
        splitter.on("data", (bytes: Buffer) => {
          for (let at = 0; at < bytes.length;) {
            const end = at + 1 + bytes.readUInt32BE(at + 1);
            out.push(String.fromCharCode(bytes[at] ?? 0) + bytes.toString("hex", at + 5, end));
            at = end;
          }
        });
        const bytes = Buffer.concat(messages.map(({ kind, body }) => message(kind, body)));
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const end = at + (cuts[turn % cuts.length] ?? 1);
          splitter.push(bytes.subarray(at, end));
          at = end;
        }
        expect(out).toEqual(messages.map(({ kind, body }) => kind + Buffer.from(body).toString("hex")));
      },
    ),
  );
});

it.each([0xffff_ffff, BYTES_MAX + 1, 3])("a message that says to be of %d bytes ends it", (length) => {
  const splitter = new MessageSplitter(() => {}, BYTES_MAX);
  const header = Buffer.from("D\0\0\0\0");
  header.writeUInt32BE(length, 1);
  expect(() => splitter.push(header)).toThrow("the limit is 10000");
});
