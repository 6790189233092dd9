/** Our own release, as in package.json. Peers and SDKs are told the release of Dapr we are compatible with instead. */
export const OUTRIGGER_VERSION = "0.1.0";
