import { cardsIn, lookAt } from "./paste.ts";
import { cleanName } from "../names.ts";
import { sentence, type Sentence } from "../sentence.ts";
import { Cell } from "../value.ts";

/** How the first relay is found: by a volunteer's card, by one's own relay elsewhere, or by being the relay. */
export type RelayWay = "card" | "elsewhere" | "self";

/** What a person decided on the first screen. */
export type Purpose =
  | { readonly kind: "join"; readonly invite: string }
  | { readonly kind: "host"; readonly title: string; readonly via: readonly string[] };

/** Of a file with an invite or card in it: many times what either can have. */
const fileBytesMax = 65_536;

/** What is needed of a file. */
export interface TextFile {
  /** Bytes. */
  readonly size: number;
  text(): Promise<string>;
}

/** The first screen: an invite or card is opened, or a room is made. */
export class StartModel {
  /** What stands in the invite's field. */
  readonly invite = new Cell("");
  readonly inviteProblem = new Cell<Sentence | undefined>(undefined);
  readonly title = new Cell("");
  readonly way = new Cell<RelayWay>("card");
  readonly card = new Cell("");
  readonly cardProblem = new Cell<Sentence | undefined>(undefined);
  readonly #goOn: (purpose: Purpose) => void;
  #isForgotten = false;

  /** `goOn` is told once a decision is made that can be acted on. */
  constructor(goOn: (purpose: Purpose) => void) {
    this.#goOn = goOn;
  }

  /** Goes on with what stands in the invite's field, or says what is wrong with it. */
  join(): void {
    const text = this.invite.get();
    const seen = lookAt(text);
    switch (seen) {
      case "invite":
        this.inviteProblem.set(undefined);
        return this.#goOn({ kind: "join", invite: text });
      case "card":
        // Not what was asked for, and still of use: it goes where it belongs.
        this.card.set(text);
        this.way.set("card");
        this.invite.set("");
        this.cardProblem.set(undefined);
        return this.inviteProblem.set(sentence("fault.paste-is-card"));
      case "other-version":
        return this.inviteProblem.set(sentence("fault.invite-version"));
      case "empty":
      case "too-long":
      case "unknown":
        return this.inviteProblem.set(sentence(`fault.paste-${seen}`));
      default:
        return seen satisfies never;
    }
  }

  /** Opens a file that was chosen or dropped, as if its text had been pasted. Never rejects. */
  async openFile(file: TextFile): Promise<void> {
    if (file.size > fileBytesMax) return this.inviteProblem.set(sentence("fault.file-too-big"));
    let text: string;
    try {
      text = await file.text();
    } catch {
      return this.inviteProblem.set(sentence("fault.file-unreadable"));
    }
    if (!this.#isForgotten) this.openText(text);
  }

  /** All was wiped: a file that is still being read opens nothing any more. */
  forget(): void {
    this.#isForgotten = true;
  }

  /** Opens a dropped text or a link that the system handed over. */
  openText(text: string): void {
    this.invite.set(text.trim());
    this.join();
  }

  /** Makes a room, or says what is missing. */
  makeRoom(): void {
    const title = cleanName(this.title.get());
    if (this.way.get() === "self") return this.#goOn({ kind: "host", title, via: [] });
    const card = this.card.get();
    const seen = lookAt(card);
    switch (seen) {
      case "card":
        this.cardProblem.set(undefined);
        return this.#goOn({ kind: "host", title, via: cardsIn(card) });
      case "invite":
        return this.cardProblem.set(sentence("fault.paste-is-invite"));
      case "other-version":
        return this.cardProblem.set(sentence("fault.card-version"));
      case "empty":
        return this.cardProblem.set(sentence("fault.card-missing"));
      case "too-long":
      case "unknown":
        return this.cardProblem.set(sentence("fault.card-damaged"));
      default:
        return seen satisfies never;
    }
  }
}
