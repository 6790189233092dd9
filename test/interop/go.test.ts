import { interopThroughRelay, interopWith } from "./cases.ts";
import { goPeer } from "./toolchains.ts";

const peer = await goPeer();
interopWith("grpc-go", peer, { countsPings: true });
interopThroughRelay("grpc-go", peer);
