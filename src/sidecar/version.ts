/** The release of Dapr whose behaviour this runtime has; peers, SDKs and the metadata API read it. */
export const RUNTIME_VERSION = "1.18.3";
