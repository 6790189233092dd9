/** What is wrong with a document, or with how one is asked for. Messages are those of Dapr's scheme. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
}
