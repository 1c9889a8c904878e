import type { EngineApi } from "../../../p2p/api/engine.ts";
import type { ErrorCode } from "../../../p2p/api/errors.ts";
import type { ChosenWay, Rung, Way, WayChoice, WayFailure } from "../../../p2p/api/way.ts";
import { codeOf } from "../fault-code.ts";
import type { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import { Cell } from "../value.ts";

/** What can be chosen, the usual first. */
export const wayPicks = ["auto", "web", "udp", "proxy"] as const;
/** One of `wayPicks`. */
export type WayPick = (typeof wayPicks)[number];

/** When a proxy is used. */
export type ProxyUse = "always" | "fallback";

/** Which way to the network carries now, and which one the person wants. Kept for this run, in memory. */
export class WayModel {
  /** What the engine says; undefined before it said anything. */
  readonly way = new Cell<Way | undefined>(undefined);
  /** What carries hands and text; undefined while nothing was connected yet. */
  readonly control = new Cell<Rung | undefined>(undefined);
  /** What the engine was told last, by this window or one before it; undefined: what none of the choices names. */
  readonly inUse = new Cell<WayPick | undefined>("auto");
  /** Whether the choice is shown. */
  readonly isOpen = new Cell(false);
  /** What is chosen in the sheet, and not in force before `apply`. */
  readonly pick = new Cell<WayPick | undefined>("auto");
  readonly proxyUse = new Cell<ProxyUse>("always");
  readonly address = new Cell("");
  readonly user = new Cell("");
  readonly password = new Cell("");
  readonly problem = new Cell<Sentence | undefined>(undefined);
  /** Whether the engine is changing over. */
  readonly isChanging = new Cell(false);
  readonly #engine: EngineApi;
  #usedProxy: ProxyUse | undefined;
  /** Counts what was put in force or forgotten: what comes of an older choice comes too late. */
  #run = 0;

  constructor(engine: EngineApi, scope: Scope) {
    this.#engine = engine;
    scope.own(
      engine.subscribe((event) => {
        if (event.event === "way") this.#take(event);
      }),
    );
    for (const event of engine.snapshot()) if (event.event === "way") this.#take(event);
  }

  /** Shows the choice, as it is in force. */
  open(): void {
    this.pick.set(this.inUse.get());
    if (this.#usedProxy !== undefined) this.proxyUse.set(this.#usedProxy);
    this.problem.set(undefined);
    this.isOpen.set(true);
  }

  close(): void {
    this.isOpen.set(false);
  }

  /** Forgets the proxy and the choice, here; in the engine whoever wipes it does. */
  forget(): void {
    this.#run += 1;
    this.isChanging.set(false);
    this.problem.set(undefined);
    for (const secret of [this.address, this.user, this.password]) secret.set("");
    this.isOpen.set(false);
    this.way.set(undefined);
    this.control.set(undefined);
    this.#note({ rung: "auto", proxy: "none" });
  }

  /** Takes what was typed as the address. A name and a password in it go where they are not shown. */
  setAddress(text: string): void {
    const parts = /^\s*(?<scheme>[a-z][a-z0-9+.-]*:\/\/)?(?<credentials>[^/\s]*)@(?<host>[^@]*)$/i.exec(text)?.groups;
    if (parts === undefined) return this.address.set(text);
    const { scheme = "", credentials = "", host = "" } = parts;
    const [user = "", ...password] = credentials.split(":");
    this.address.set(scheme + host);
    this.user.set(decoded(user));
    this.password.set(decoded(password.join(":")));
  }

  /** Puts the choice in force and closes the sheet, or says what is wrong with it. Never rejects. */
  async apply(): Promise<void> {
    if (this.isChanging.get()) return;
    this.problem.set(undefined);
    const choice = this.#choice();
    if (choice === undefined) return;
    const run = (this.#run += 1);
    this.isChanging.set(true);
    let code: ErrorCode | undefined;
    try {
      await this.#engine.chooseWay(choice);
    } catch (error: unknown) {
      code = codeOf(error);
    }
    if (run !== this.#run) return;
    this.isChanging.set(false);
    if (code !== undefined) return this.problem.set(sentence(`fault.${code}`));
    // An engine that is not up yet says nothing of it before it is.
    this.#note(chosenBy(choice));
    this.isOpen.set(false);
  }

  /** Undefined when there is nothing to change, or something is missing; then that is said. */
  #choice(): WayChoice | undefined {
    const pick = this.pick.get();
    switch (pick) {
      case undefined:
        this.isOpen.set(false);
        return undefined;
      case "auto":
        return { rung: "auto" };
      case "web":
        return { rung: "wss" };
      case "udp":
        return { rung: "webrtc" };
      case "proxy":
        return this.#proxyChoice();
      default:
        return pick satisfies never;
    }
  }

  #proxyChoice(): WayChoice | undefined {
    const address = this.address.get().trim();
    const proxyUse = this.proxyUse.get();
    if (address === "") {
      // A window that opened late does not know the address that is in use, and need not.
      if (this.inUse.get() === "proxy" && proxyUse === this.#usedProxy) this.isOpen.set(false);
      else this.problem.set(sentence("fault.proxy-missing"));
      return undefined;
    }
    const [user, password] = [encoded(this.user.get()), encoded(this.password.get())];
    const credentials = user === "" && password === "" ? "" : `${user}:${password}@`;
    const proxy = address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?/i, (scheme) => scheme + credentials);
    return { rung: proxyUse === "always" ? "proxy" : "auto", proxy, proxyUse };
  }

  #take({ rung, since, chosen, failures }: Way): void {
    this.way.set({ rung, since, chosen, failures });
    // Sound over UDP is agreed upon over a connection that was there first, and stays.
    if (rung === "webrtc") this.control.update((known) => known ?? "wss");
    else if (rung !== null) this.control.set(rung);
    this.#note(chosen);
  }

  #note(chosen: ChosenWay): void {
    this.inUse.set(pickOf(chosen));
    this.#usedProxy = chosen.proxy === "none" ? undefined : chosen.proxy;
  }
}

/** The one plain line on what was tried and failed, if it still matters; undefined when nothing did. */
export function failedSentence({ rung, chosen, failures }: Way): Sentence | undefined {
  const has = (on: Rung, ...which: readonly WayFailure[]): boolean =>
    which.some((each) => (failures[on]?.[each] ?? 0) > 0);
  const failed = has("wss", ...ofNetwork) || has("lan", ...ofNetwork);
  if (rung === null) return undefined;
  if (rung === "proxy") return chosen.proxy === "fallback" && failed ? sentence("way.failed-straight") : undefined;
  if (has("proxy", ...ofNetwork, "proxy unreachable", "proxy refused", "proxy broken") && chosen.proxy === "fallback") {
    return sentence("way.failed-proxy");
  }
  if (rung !== "webrtc" && has("webrtc", ...ofNetwork)) return sentence("way.failed-udp");
  return failed ? sentence("way.failed-some") : undefined;
}

/** What says something of the network, and not of an invite or of our own thrift. */
const ofNetwork: readonly WayFailure[] = ["unreachable", "timeout", "cut", "stranger", "portal", "wrong key"];

function pickOf({ rung, proxy }: ChosenWay): WayPick | undefined {
  if (proxy !== "none") return "proxy";
  return picks[rung];
}

const picks: Readonly<Record<ChosenWay["rung"], WayPick | undefined>> = {
  auto: "auto",
  wss: "web",
  webrtc: "udp",
  proxy: "proxy",
  lan: undefined,
};

function chosenBy({ rung, proxy, proxyUse = "always" }: WayChoice): ChosenWay {
  return { rung, proxy: proxy === undefined ? "none" : proxyUse };
}

/** Half a character, which no keyboard writes, becomes the sign for one that is damaged. */
function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, "\ufffd"));
}

/** As URLs write what they cannot hold; text that is not written so is left as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
