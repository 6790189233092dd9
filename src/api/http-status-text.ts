import { STATUS_CODES } from "node:http";

/** Where Go's text for a status is not Node's. */
const GO_STATUS_TEXTS: Readonly<Record<number, string>> = {
  413: "Request Entity Too Large",
  414: "Request URI Too Long",
  416: "Requested Range Not Satisfiable",
  418: "I'm a teapot",
};

/** Go's text for an HTTP status; empty where it has none. */
export function httpStatusText(status: number): string {
  return GO_STATUS_TEXTS[status] ?? STATUS_CODES[status] ?? "";
}
