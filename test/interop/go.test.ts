import { interopWith } from "./cases.ts";
import { goPeer } from "./toolchains.ts";

interopWith("grpc-go", await goPeer(), { countsPings: true });
