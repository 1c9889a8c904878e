import type { InviteTerms, IssuedInvite } from "../../../p2p/api/room.ts";
import { codeOf } from "../fault-code.ts";
import type { Scope } from "../scope.ts";
import { sentence, type Sentence } from "../sentence.ts";
import type { Session } from "../session.ts";
import { Cell } from "../value.ts";

const hourMs = 3_600_000;

/** How long an invite may hold, in ms: an hour, an evening, a day, a week. */
export const expiries = [hourMs, 6 * hourMs, 24 * hourMs, 168 * hourMs] as const;
/** Roles that an invite can give, the one to hand out first. */
export const inviteRoles = ["listener", "speaker", "moderator", "heir"] as const;
/** One of them. */
export type InviteRole = (typeof inviteRoles)[number];

/** Characters of a passphrase, at least: four words of a list, or as many characters as cannot be tried through. */
export const passphraseLengthMin = 12;

/** Makes invites with terms of their own, and takes them back. */
export class InviteDesk {
  readonly role = new Cell<InviteRole>("listener");
  readonly expiresInMs = new Cell<number>(expiries[2]);
  readonly singleUse = new Cell(false);
  readonly passphrase = new Cell("");
  readonly problem = new Cell<Sentence | undefined>(undefined);
  /** The one made last, with what it was made for. Forgotten when another is asked for. */
  readonly made = new Cell<{ readonly text: string; readonly terms: InviteTerms } | undefined>(undefined);
  readonly isMaking = new Cell(false);
  readonly issued = new Cell<readonly IssuedInvite[]>([]);
  readonly #session: Session;

  constructor(session: Session, scope: Scope) {
    this.#session = session;
    const { engine } = session;
    for (const event of engine.snapshot()) if (event.event === "invites-issued") this.issued.set(event.invites);
    scope.own(
      engine.subscribe((event) => {
        if (event.event === "invites-issued") this.issued.set(event.invites);
      }),
    );
  }

  /** Makes one by what is chosen. Never rejects. */
  async make(): Promise<void> {
    if (this.isMaking.get()) return;
    const passphrase = this.passphrase.get().trim();
    this.problem.set(undefined);
    this.made.set(undefined);
    if (passphrase !== "" && passphrase.length < passphraseLengthMin)
      return this.problem.set(sentence("fault.passphrase-short", { min: passphraseLengthMin }));
    const terms: InviteTerms = {
      role: this.role.get(),
      expiresInMs: this.expiresInMs.get(),
      singleUse: this.singleUse.get(),
      ...(passphrase === "" ? {} : { passphrase }),
    };
    this.isMaking.set(true);
    try {
      this.made.set({ text: await this.#session.engine.issueInvite(terms), terms });
      this.passphrase.set("");
    } catch (error: unknown) {
      this.problem.set(sentence(`fault.${codeOf(error)}`));
    }
    this.isMaking.set(false);
  }

  /** Takes one back: who has it comes in no more. */
  async revoke(id: string): Promise<void> {
    this.problem.set(undefined);
    try {
      await this.#session.engine.act({ kind: "revoke-invite", id });
    } catch (error: unknown) {
      this.problem.set(sentence(`fault.${codeOf(error)}`));
    }
  }

  /** What was shown is put away. */
  forget(): void {
    this.made.set(undefined);
    this.passphrase.set("");
    this.problem.set(undefined);
  }
}
