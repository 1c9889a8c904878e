import type { StagePerson } from "../../../p2p/api/engine.ts";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import type { Speakers } from "../../audio/types.ts";
import type { Scope } from "../scope.ts";
import type { Session } from "../session.ts";
import { Cell, type Value } from "../value.ts";

/** People whose volume is remembered: more than come on stage in a night. */
const peopleMax = 256;

/**
 * How loud each person is for us, 0 to 2. It is the person's, not the voice's: who comes back under a fresh voice key is as
 * loud as before. Identities are of one room, and so is this.
 */
export class Volumes {
  readonly #session: Session;
  readonly #speakers: Speakers;
  /** By identity. */
  readonly #cells = new Map<string, Cell<number>>();
  /** What the loudspeakers were told. */
  readonly #told = new Map<VoiceKey, number>();

  constructor(session: Session, speakers: Speakers, scope: Scope) {
    this.#session = session;
    this.#speakers = speakers;
    scope.watch(session.stage, () => this.#tell());
  }

  /** This person's volume; 1 until it is set. */
  of(person: StagePerson): Value<number> {
    return this.#cell(person.identity);
  }

  /** Bounded to 0 to 2. */
  set(person: StagePerson, volume: number): void {
    this.#cell(person.identity).set(Math.min(2, Math.max(0, volume)));
    this.#tell();
  }

  #cell(identity: string): Cell<number> {
    const known = this.#cells.get(identity);
    if (known !== undefined) return known;
    const fresh = new Cell(1);
    this.#cells.set(identity, fresh);
    if (this.#cells.size > peopleMax) this.#forget();
    return fresh;
  }

  /** The oldest who is not on stage. */
  #forget(): void {
    const present = new Set(this.#session.stage.get().people.map(({ identity }) => identity));
    const absent = [...this.#cells.keys()].find((identity) => !present.has(identity));
    if (absent !== undefined) this.#cells.delete(absent);
  }

  #tell(): void {
    const { people } = this.#session.stage.get();
    const wanted = new Map(people.map(({ voice, identity }) => [voice, this.#cells.get(identity)?.get() ?? 1]));
    for (const voice of this.#told.keys()) if (!wanted.has(voice)) this.#change(voice, 1);
    for (const [voice, volume] of wanted) this.#change(voice, volume);
  }

  #change(voice: VoiceKey, volume: number): void {
    if ((this.#told.get(voice) ?? 1) === volume) return;
    if (volume === 1) this.#told.delete(voice);
    else this.#told.set(voice, volume);
    this.#speakers.setSpeakerVolume(voice, volume);
  }
}
