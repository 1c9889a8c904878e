import type { Power } from "../../p2p/api/engine.ts";

/** What of the browser's battery is used. */
interface Battery extends EventTarget {
  readonly charging: boolean;
}

/** What of the browser's network information is used; not every system tells it. */
interface Connection extends EventTarget {
  readonly type?: string;
  /** The person asked the system to spare data. */
  readonly saveData?: boolean;
}

interface PowerNavigator {
  getBattery?(): Promise<Battery>;
  readonly connection?: Connection;
}

/** Tells how this computer is fed, now and whenever it changes, as far as the browser knows; the result ends it. */
export function watchPower(tell: (power: Power) => void): () => void {
  const { connection, ...rest } = navigatorParts();
  const ended = new AbortController();
  let battery: Battery | undefined;
  const look = (): void => {
    const metered = connection?.saveData === true || connection?.type === "cellular";
    tell({ onBattery: battery?.charging === false, metered });
  };
  connection?.addEventListener("change", look, { signal: ended.signal });
  rest.getBattery?.().then(
    (found) => {
      if (ended.signal.aborted) return;
      battery = found;
      found.addEventListener("chargingchange", look, { signal: ended.signal });
      look();
    },
    () => undefined,
  );
  look();
  return () => ended.abort();
}

function navigatorParts(): PowerNavigator {
  const parts = navigator as unknown as PowerNavigator;
  return {
    ...(parts.getBattery === undefined
      ? {}
      : { getBattery: () => parts.getBattery?.() ?? Promise.reject(new Error()) }),
    ...(parts.connection === undefined ? {} : { connection: parts.connection }),
  };
}
