import { useSyncExternalStore } from "react";
import type { Value } from "../../model/value.ts";

/** Reads a value and draws anew when it changes. */
export function useValue<T>(value: Value<T>): T {
  return useSyncExternalStore(
    (listener) => value.subscribe(listener),
    () => value.get(),
  );
}
