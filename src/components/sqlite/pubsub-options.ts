import type { Logger } from "../../kit/logger.ts";
import type { ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import { decodeMetadata, type DecodedMetadata } from "../spi/metadata.ts";
import { PUBSUB_FIELDS } from "./pubsub-manifest.ts";

/** Handlers at once, per subscription. */
const CONCURRENCY_MAX = 1_024;
/** Milliseconds: messages in hand are renewed three times as often. */
const PROCESSING_TIMEOUT_MS_MIN = 100;

/** How one instance of the broker works. */
export interface PubSubOptions extends DecodedMetadata<typeof PUBSUB_FIELDS> {
  readonly consumer: string;
}

/** @throws ComponentError `invalidMetadata` naming the field */
export function pubsubOptions(
  metadata: ComponentMetadata,
  component: { readonly name: string; readonly appId: string; readonly logger: Logger },
): PubSubOptions {
  const decoded = decodeMetadata(PUBSUB_FIELDS, metadata, { component: component.name, logger: component.logger });
  const refuse = (field: keyof typeof decoded, wanted: string): never => {
    throw new ComponentError(
      "invalidMetadata",
      `metadata field "${field}" of component ${component.name} must be ${wanted}, not ${decoded[field]}`,
      { facts: { component: component.name, field } },
    );
  };
  if (decoded.concurrency < 1 || decoded.concurrency > CONCURRENCY_MAX) {
    refuse("concurrency", `from 1 to ${CONCURRENCY_MAX}`);
  }
  for (const field of ["maxDeliveries", "handlerTimeout", "backOffInitialInterval", "backOffMaxInterval"] as const) {
    if (decoded[field] < 0) {
      refuse(field, "0 or more");
    }
  }
  for (const field of ["maxBacklog", "pollInterval"] as const) {
    if (decoded[field] < 1) {
      refuse(field, "above 0");
    }
  }
  if (decoded.processingTimeout < PROCESSING_TIMEOUT_MS_MIN) {
    refuse("processingTimeout", `${PROCESSING_TIMEOUT_MS_MIN}ms or more`);
  }
  handlersMax(decoded.concurrencyMode, decoded.concurrency);
  return { ...decoded, consumer: decoded.consumerID?.trim() || component.appId };
}

/** How many handlers a mode lets run at once. @throws ComponentError `invalidMetadata` for one there is none of */
export function handlersMax(mode: string, concurrency: number): number {
  switch (mode) {
    case "":
    case "parallel":
      return concurrency;
    case "single":
      return 1;
    default:
      throw new ComponentError("invalidMetadata", `invalid concurrencyMode ${mode}: it must be single or parallel`);
  }
}
