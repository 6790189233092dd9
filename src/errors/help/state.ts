import type { stateErrors } from "../catalogue/state.ts";
import { help, type HelpOf } from "./error-help.ts";

const STORE = "Read the reason; then look at the store itself and its condition under `GET /outrigger/v1/components`.";

export const stateHelp: HelpOf<typeof stateErrors> = {
  storeNotConfigured: help(
    "This sidecar has no state store at all.",
    "Check that `--resources-path` names the folder of the component's file and that its `scopes` name this app.",
    "Look for a failed component in the log of the start.",
  ),
  storeNotFound: help(
    "There are state stores, but none of that name.",
    "Compare the name with `metadata.name` of the component, and its `scopes` with this app's id.",
  ),
  keyIllegal: help(
    "Two bars separate a key from its prefix in the store, so no key may contain `||`.",
    "Use another separator within keys.",
  ),
  transactionsNotSupported: help(
    "The state store's type has no transactions.",
    "Choose a type that has them: the capabilities are in the reference of components.",
    "Save the items without a transaction, if it need not be all or none.",
  ),
  tooManyOperations: help(
    "The transaction is larger than the store takes.",
    "Divide it into smaller ones; the text says the limit.",
  ),
  queryNotSupported: help(
    "The state store's type cannot be queried.",
    "Choose a type with the capability QUERY_API, or keep an index of keys of your own.",
  ),
  query: help(
    "The query cannot be understood, or the store failed to answer it.",
    "Check filter, sort and page of the query; Redis needs an index named in `queryIndexes`.",
    STORE,
  ),
  listNotSupported: help(
    "The state store's type cannot list its keys.",
    "Choose a type whose row in the reference of components has the listing.",
  ),
  listPageSize: help(
    "The size of a page is no whole number, or out of bounds.",
    "Ask for a size within the bounds of the text.",
  ),
  listToken: help(
    "The token that asks for the next page is not one of this listing.",
    "Pass the token of the page before on as it is, URL-encoded, with the same prefix.",
  ),
  listInclude: help(
    "`include` has a value that does not exist.",
    "Leave it out for keys alone, or set `include=value`.",
  ),
  list: help("The state store could not list its keys.", STORE),
  keyEmpty: help("An item has no key.", "Set `key`; a variable of the client is empty, as a rule."),
  get: help("The state store did not answer a read.", STORE),
  bulkGet: help("The state store did not answer a bulk read.", STORE),
  save: help(
    "The state store did not write. With 409 or ABORTED the etag is not the one of the store any more: somebody else has written. With 400 the etag cannot be one of this store.",
    "409: read the item again, apply the change to it, and save it with the new etag.",
    "Use the option `concurrency: last-write` where the last one shall win.",
    STORE,
  ),
  delete: help(
    "The state store did not delete. With 409 or ABORTED the etag is not the one of the store any more.",
    "409: read the item again and decide anew.",
    STORE,
  ),
  bulkDelete: help("The state store did not delete all of the items.", "Some may be deleted: repeat it.", STORE),
  transaction: help(
    "The state store refused the transaction: nothing of it was written, unless the reason says that the connection was lost.",
    "An etag that does not fit: read, apply, and try again.",
    STORE,
  ),
  operationNotSupported: help(
    "A transaction has an operation that is neither `upsert` nor `delete`.",
    "Use one of these two.",
  ),
  malformedSave: help(
    "The body of a save cannot be read: it is no JSON list of items with keys.",
    'Send a list, also for one item: `[{"key": "k", "value": 1}]`.',
  ),
  malformedValue: help(
    "An item sent over gRPC says in its metadata that its value is JSON, and it is not.",
    "Send JSON, or leave `contentType` out of the item's metadata.",
  ),
};
