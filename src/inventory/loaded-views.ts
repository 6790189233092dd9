import type { Binding } from "../components/spi/bindings.ts";
import type { Component } from "../components/spi/component.ts";
import type { ConfigurationStore } from "../components/spi/configuration.ts";
import type { Conversation } from "../components/spi/conversation.ts";
import type { CryptoProvider } from "../components/spi/crypto.ts";
import type { LockStore } from "../components/spi/lock.ts";
import type { HttpMiddleware } from "../components/spi/middleware.ts";
import type { PubSub } from "../components/spi/pubsub.ts";
import type { SecretStore } from "../components/spi/secret-store.ts";
import type { StateStore } from "../components/spi/state.ts";
import type { InventoryView, Loaded } from "./types.ts";
import { LiveView, type ToldChange } from "./view.ts";

/** The views of all families, from the side that changes them. */
export class LoadedViews implements InventoryView {
  readonly state = new LiveView<StateStore>();
  readonly pubsub = new LiveView<PubSub>();
  readonly secretstores = new LiveView<SecretStore>();
  readonly bindings = new LiveView<Binding>();
  readonly configuration = new LiveView<ConfigurationStore>();
  readonly lock = new LiveView<LockStore>();
  readonly crypto = new LiveView<CryptoProvider>();
  readonly conversation = new LiveView<Conversation>();
  readonly middleware = new LiveView<HttpMiddleware>();

  /** Shows it in the view of its family, in place of another of its name. @throws what a listener throws who cannot use it */
  protected publish(loaded: Loaded<Component>): ToldChange {
    switch (loaded.manifest.family) {
      case "state":
        return this.state.set(loaded as Loaded<StateStore>);
      case "pubsub":
        return this.pubsub.set(loaded as Loaded<PubSub>);
      case "secretstores":
        return this.secretstores.set(loaded as Loaded<SecretStore>);
      case "bindings":
        return this.bindings.set(loaded);
      case "configuration":
        return this.configuration.set(loaded as Loaded<ConfigurationStore>);
      case "lock":
        return this.lock.set(loaded as Loaded<LockStore>);
      case "crypto":
        return this.crypto.set(loaded as Loaded<CryptoProvider>);
      case "conversation":
        return this.conversation.set(loaded as Loaded<Conversation>);
      case "middleware":
        return this.middleware.set(loaded as Loaded<HttpMiddleware>);
      case "nameresolution":
        return { settled: Promise.resolve() };
    }
  }

  /** Shows nothing of that name any more. Resolves when nobody uses it. */
  protected withdraw(name: string): Promise<unknown> {
    const views = [
      this.state,
      this.pubsub,
      this.secretstores,
      this.bindings,
      this.configuration,
      this.lock,
      this.crypto,
      this.conversation,
      this.middleware,
    ];
    return Promise.all(views.map((view) => view.delete(name).settled));
  }
}
