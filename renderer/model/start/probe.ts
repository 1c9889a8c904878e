import type { ProbeStep, ProbeVerdict } from "../../../p2p/api/way.ts";
import { codeOf } from "../fault-code.ts";
import { cleanText } from "../names.ts";
import type { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Session } from "../session.ts";
import { Cell } from "../value.ts";

/** How far looking is. */
export type ProbePhase =
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly verdict: ProbeVerdict }
  | { readonly kind: "stopped" }
  /** It could not be looked: the invite's fault, or ours. */
  | { readonly kind: "failed"; readonly problem: Sentence };

/** What a person can do about it. */
export type Advice =
  "enter" | "stay" | "online" | "network" | "proxy" | "proxy-check" | "invite" | "login" | "host" | "later";

/** What to do next outside the room, by what it came to, the most promising first. */
const outside: Readonly<Record<ProbeVerdict, readonly Advice[]>> = {
  works: ["enter"],
  "udp-blocked": ["enter"],
  "dht-only": ["enter", "invite"],
  frozen: ["proxy", "network"],
  portal: ["login", "network"],
  "tls-blocked": ["proxy", "network"],
  strangers: ["invite"],
  "relays-refuse": ["host", "later"],
  "proxy-dead": ["proxy-check", "network"],
  "lan-only": ["invite"],
  offline: ["online", "network", "proxy", "invite"],
};

/** What to do next, the most promising first. In the room nobody has to go in: it is tried again all the time. */
export function adviceOn(verdict: ProbeVerdict, isInside: boolean): readonly Advice[] {
  return outside[verdict].map((one) => (one === "enter" && isInside ? "stay" : one));
}

/** Whether there is a way in. */
export function isWayIn(verdict: ProbeVerdict): boolean {
  return outside[verdict].includes("enter");
}

/** Troubles that looking at the network may explain. */
const ofNetwork: ReadonlySet<Sentence["key"]> = new Set([
  "fault.no-network",
  "fault.room-not-found",
  "fault.stalled",
  "fault.frozen",
  "fault.refused-by-relay",
  "fault.refused-relay-full",
]);

/** Of an invite with five relays, each with many addresses: more than anybody reads. */
const stepsMax = 48;

/** "Why can't I connect?": tries every way into a room, and explains. */
export class ProbeModel {
  /** The invite that was opened last, until its room was left; in memory only. */
  readonly invite = new Cell<string | undefined>(undefined);
  /** Undefined: nobody asked. */
  readonly phase = new Cell<ProbePhase | undefined>(undefined);
  /** What was tried so far, a second try in the place of the first. */
  readonly steps = new Cell<readonly ProbeStep[]>([]);
  readonly #session: Session;
  #asked = "";
  /** Counts what was asked for: what answers an older wish comes too late. */
  #wish = 0;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(session: Session, scope: Scope) {
    this.#session = session;
    scope.own(
      session.engine.subscribe((event) => {
        if (event.event === "probe" && this.phase.get()?.kind === "running") this.#take(event);
      }),
    );
    scope.own(() => this.close());
  }

  /** Whether we are in the room that is looked for. */
  get isInside(): boolean {
    return this.#session.phase.get() === "inside";
  }

  /** Whether looking may explain this trouble: it is the network's, and there is an invite to look with. */
  explains(trouble: Sentence | undefined): boolean {
    return trouble !== undefined && ofNetwork.has(trouble.key) && this.#inviteAtHand() !== undefined;
  }

  /** Begins to look, with the invite at hand. */
  start(): void {
    const invite = this.#inviteAtHand();
    if (invite !== undefined) this.#begin(invite);
  }

  /** Looks once more, with the same invite. */
  again(): void {
    this.#begin(this.#asked);
  }

  /** Ends it; what was found so far stays to be read. */
  stop(): void {
    if (this.phase.get()?.kind !== "running") return;
    this.#wish += 1;
    this.#session.engine.stopProbe();
    this.phase.set({ kind: "stopped" });
  }

  /** Ends it and forgets what was found. */
  close(): void {
    this.stop();
    this.#asked = "";
    this.phase.set(undefined);
    this.steps.set([]);
  }

  #inviteAtHand(): string | undefined {
    return this.invite.get() ?? this.#session.sharing.get().invites.listener;
  }

  #begin(invite: string): void {
    this.stop();
    this.#asked = invite;
    this.steps.set([]);
    this.phase.set({ kind: "running" });
    this.#underWay = this.#look(invite, (this.#wish += 1), this.#underWay);
  }

  async #look(invite: string, wish: number, before: Promise<unknown>): Promise<void> {
    // Steps do not say which probe they belong to: one that was stopped has to be over.
    await before;
    if (wish !== this.#wish) return;
    this.steps.set([]);
    try {
      const verdict = await this.#session.engine.probe(invite);
      if (wish === this.#wish) this.phase.set({ kind: "done", verdict });
    } catch (error: unknown) {
      if (wish !== this.#wish) return;
      const code = codeOf(error);
      // Somebody entered a room meanwhile, in another window perhaps.
      if (code === "stalled") this.phase.set({ kind: "stopped" });
      else this.phase.set({ kind: "failed", problem: sentence(`fault.${code}`) });
    }
  }

  #take({ rung, relay, what, ok, failure }: ProbeStep): void {
    const next = { rung, relay, what: placeOf(cleanText(what)), ok, ...(failure === undefined ? {} : { failure }) };
    this.steps.update((steps) => {
      const at = steps.findIndex((one) => one.rung === rung && one.relay === relay && one.what === next.what);
      return at < 0 ? [...steps, next].slice(0, stepsMax) : steps.with(at, next);
    });
  }
}

/** What is being done now, in words. */
export function doing(steps: readonly ProbeStep[]): Sentence {
  const waits = steps.some(({ failure }) => failure === "too soon");
  const isAnswered = steps.some(({ rung, ok }) => rung === "relay" && ok);
  return sentence(waits && !isAnswered ? "probe.now-waiting" : "probe.now");
}

/** A relay's address as people write it; what is not one is left as it is. */
function placeOf(what: string): string {
  const parts = /^\/(?:ip4|ip6|dns[46]?)\/(?<host>[^/]+)\/tcp\/(?<port>\d+)(?:\/|$)/.exec(what)?.groups;
  if (parts === undefined) return what;
  const { host = "", port = "" } = parts;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
