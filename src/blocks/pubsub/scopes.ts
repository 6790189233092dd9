import type { ComponentMetadata } from "../../components/spi/component.ts";

/** Which topics an app may publish and subscribe to, compiled from a component's metadata when it is loaded. */
export interface TopicScopes {
  mayPublish(topic: string): boolean;
  maySubscribe(topic: string): boolean;
}

const OPEN: TopicScopes = { mayPublish: () => true, maySubscribe: () => true };

/**
 * Compiles `publishingScopes`, `subscriptionScopes` (`app1=topic1,topic2;app2=`), `allowedTopics` and `protectedTopics`
 * (`topic1,topic2`). Spaces are dropped and field names matched without case. A topic outside a non-empty
 * `allowedTopics` is refused; a protected topic, and every topic once the app has a scope, needs to be in that scope.
 */
export function compileScopes(metadata: ComponentMetadata, appId: string): TopicScopes {
  const allowed = topicList(find(metadata, "allowedTopics"));
  const protectedTopics = topicList(find(metadata, "protectedTopics"));
  const publishing = scopeOf(find(metadata, "publishingScopes"), appId);
  const subscribing = scopeOf(find(metadata, "subscriptionScopes"), appId);
  if (allowed.size === 0 && protectedTopics.size === 0 && publishing.size === 0 && subscribing.size === 0) {
    return OPEN;
  }
  const permits = (topic: string, scope: ReadonlySet<string>): boolean => {
    if (allowed.size > 0 && !allowed.has(topic)) {
      return false;
    }
    return (scope.size === 0 && !protectedTopics.has(topic)) || scope.has(topic);
  };
  return {
    mayPublish: (topic) => permits(topic, publishing),
    maySubscribe: (topic) => permits(topic, subscribing),
  };
}

/** `app=` gives a scope with the empty topic: the app may use none. */
function scopeOf(value: string, appId: string): ReadonlySet<string> {
  const topics = new Set<string>();
  for (const scope of value.split(";")) {
    const [app, list] = scope.split("=");
    if (app === appId && list !== undefined) {
      for (const topic of list.split(",")) {
        topics.add(topic);
      }
    }
  }
  return topics;
}

function topicList(value: string): ReadonlySet<string> {
  return value === "" ? new Set() : new Set(value.split(","));
}

function find(metadata: ComponentMetadata, field: string): string {
  const lower = field.toLowerCase();
  for (const name of Object.keys(metadata)) {
    if (name.toLowerCase() === lower) {
      return (metadata[name] ?? "").replaceAll(" ", "");
    }
  }
  return "";
}
